import ArgumentParser
import FoundationEssentials
import Monitor

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
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = "\(data)/monitor.db"
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            else {
                throw Failure("\(path) cannot be made.")
            }
        }
        return try MonitorStore(path: path)
    }
}

/// What went wrong, in words for whoever typed the command.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Unix milliseconds by the machine's clock.
@Sendable func wallTime() -> Int64 { SteadyClock.now().wall }
