import ArgumentParser
import Files
import Monitor
import Serving

/// The program on the hub. Arguments, configuration and wiring only.
@main
struct ClavitorMonitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor-monitor",
        abstract: "Hears the fleet's heartbeats, and raises the alarm on silence.",
        discussion: """
            A data directory holds the database and nothing else. Begin with `clavitor-monitor operator add NAME --data DIR` and \
            `clavitor-monitor node add NAME --data DIR`, then `clavitor-monitor serve --data DIR`.
            """,
        version: Version.current,
        subcommands: [Serve.self, Check.self, NodeCommand.self, OperatorCommand.self, TokenCommand.self]
    )
}

enum Version {
    static let current = "0.1.0"
}

/// Options of every command that works on the data.
struct DataOptions: ParsableArguments {
    @Option(help: "The data directory.")
    var data: String

    /// Opens the database, which is made at the first time: 0600 in a directory of 0700.
    func store() throws -> MonitorStore {
        try File.makeDirectory(data)
        let path = "\(data)/monitor.db"
        // SQLite gives its other files the mode of this one.
        if !File.exists(path) { _ = try OpenFile(creating: path) }
        return try MonitorStore(path: path)
    }
}

/// Unix milliseconds by the machine's clock.
@Sendable func wallTime() -> Int64 { SteadyClock.now().wall }
