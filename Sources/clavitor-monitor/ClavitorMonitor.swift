import ArgumentParser
import Files
import Monitor
import ServerRuntime
import Wire

/// The hub's program: arguments, configuration and wiring only.
@main
struct ClavitorMonitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor-monitor",
        abstract: "Monitor the fleet's heartbeats and notify on silence.",
        discussion: """
            The data directory contains the database and nothing else. Start with `clavitor-monitor operator add NAME --data DIR` and \
            `clavitor-monitor node add NAME --data DIR`, then `clavitor-monitor serve --data DIR`.
            """,
        version: Version.current,
        subcommands: [
            Serve.self, Check.self, NodeCommand.self, ChannelCommand.self, OperatorCommand.self, TokenCommand.self,
            CertCommand.self, Backup.self, Restore.self,
        ]
    )

    /// Runs without a subcommand.
    func run() async throws {
        try Failure.requireArguments()
        throw CleanExit.helpRequest(self)
    }
}

/// Options of every command that uses the data directory.
struct DataOptions: ParsableArguments {
    @Option(help: "The data directory.")
    var data: String

    var path: String { "\(data)/monitor.db" }

    /// Opens the existing database.
    func store() throws -> MonitorStore {
        guard File.exists(path) else {
            throw Failure(
                "There is no \(path). Check --data; `clavitor-monitor operator add NAME --data \(data)` creates a new database."
            )
        }
        return try open()
    }

    /// Opens the database, or creates it with mode 0600 in a directory with mode 0700.
    func storeCreatedIfNeeded(gathering: Int = 0) throws -> MonitorStore {
        try File.makeDirectory(data)
        // SQLite gives its other files the mode of this one.
        if !File.exists(path) { _ = try OpenFile(creating: path) }
        return try open(gathering: gathering)
    }

    /// Locks the data directory for the serving program, before it changes anything there. A service may start before
    /// the first operator is added, so only the directory must exist. `isDevelopment`: Creates it if needed.
    func lock(isDevelopment: Bool) throws {
        if isDevelopment { try File.makeDirectory(data) }
        guard File.exists(data) else {
            throw Failure("There is no directory \(data). Check --data; create the directory or add an operator first.")
        }
        guard try File.tryLock("\(data)/lock") else {
            throw Failure("Another clavitor-monitor is serving \(data). Stop it first.")
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
@Sendable func wallTime() -> Int64 { SystemClocks.now().wall }
