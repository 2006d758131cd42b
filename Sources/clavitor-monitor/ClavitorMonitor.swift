import ArgumentParser
import Files
import Monitor
import Serving
import Wire

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
        subcommands: [
            Serve.self, Check.self, NodeCommand.self, ChannelCommand.self, OperatorCommand.self, TokenCommand.self,
            CertCommand.self, Backup.self, Restore.self,
        ]
    )

    /// Without a subcommand.
    func run() async throws {
        try Failure.requireArguments()
        throw CleanExit.helpRequest(self)
    }
}

/// Options of every command that works on the data.
struct DataOptions: ParsableArguments {
    @Option(help: "The data directory.")
    var data: String

    var path: String { "\(data)/monitor.db" }

    /// The database that is there.
    func store() throws -> MonitorStore {
        guard File.exists(path) else {
            throw Failure(
                "There is no \(path). Is --data right? `clavitor-monitor operator add NAME --data \(data)` begins a new one."
            )
        }
        return try open()
    }

    /// The same, made at the first time: 0600 in a directory of 0700.
    func storeMadeIfNeeded(gathering: Int = 0) throws -> MonitorStore {
        try File.makeDirectory(data)
        // SQLite gives its other files the mode of this one.
        if !File.exists(path) { _ = try OpenFile(creating: path) }
        return try open(gathering: gathering)
    }

    /// For the one program that serves it, before it touches anything in the directory. A service is started before anybody
    /// can be added, so that only the directory must be there. `isDevelopment`: It is made, too.
    func lock(isDevelopment: Bool) throws {
        if isDevelopment { try File.makeDirectory(data) }
        guard File.exists(data) else {
            throw Failure("There is no directory \(data). Is --data right? Make it, or add an operator, first.")
        }
        guard try File.tryLock("\(data)/lock") else {
            throw Failure("Another clavitor-monitor serves \(data). Stop it first.")
        }
    }

    private func open(gathering: Int = 0) throws -> MonitorStore {
        do {
            return try MonitorStore(path: path, gathering: gathering)
        } catch {
            throw Failure("\(path) cannot be opened: \(error)")
        }
    }
}

/// Unix milliseconds by the machine's clock.
@Sendable func wallTime() -> Int64 { SteadyClock.now().wall }
