import ArgumentParser
import Fleet
import Glibc
import Wire

/// The operators' program: arguments and wiring only.
@main
struct ClavitorSOC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor-soc",
        abstract: "Operate a fleet of Clavitor nodes from one inventory, over WireGuard and SSH.",
        discussion: """
            The inventory is nix/fleet.toml. Connections, journals and soc.toml are in the state directory.

            EXIT CODES
              0   done
              1   failed, or rolled back
              2   refused before any change
              64  usage: wrong options or arguments
              130 stopped by ctrl-C
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(name: "Inventory", subcommands: [BeginCommand.self, FleetCommand.self, CoverageCommand.self]),
            CommandGroup(
                name: "Machines",
                subcommands: [
                    ProvisionCommand.self, RestoreCommand.self, BackupCommand.self, KeysCommand.self,
                    SecretsCommand.self,
                    BreakGlassCommand.self,
                ]),
            CommandGroup(
                name: "Deploying",
                subcommands: [
                    UpdateCommand.self, DeployCommand.self, RollbackCommand.self, HistoryCommand.self,
                ]),
            CommandGroup(
                name: "Nodes",
                subcommands: [
                    StatusCommand.self, SSHCommand.self, LogsCommand.self, CollectCommand.self, IntegrityCommand.self,
                    JobCommand.self,
                ]),
            CommandGroup(name: "DNS", subcommands: [DNSCommand.self]),
        ])

    static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Reports an error: the only place where an error stops being thrown.
    ///
    /// - Returns: The exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let error as any PreconditionError: return Terminal.fail("\(error)", code: 2)
        case let failure as CommandFailure: return Terminal.fail(failure.description, code: failure.code)
        case let error as SSHError: return Terminal.fail("\(error)", code: error.isPreconditionError ? 2 : 1)
        case is CancellationError: return Terminal.fail("stopped", code: 130)
        case is ChildError, is MonitorError: return Terminal.fail("\(error)", code: 1)
        default:
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty { code.isSuccess ? Terminal.line(message) : Terminal.note(message) }
            return code.rawValue
        }
    }
}

/// The failure of a command.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// An exit code of `ClavitorSOC`'s table.
    let code: Int32
    let description: String

    init(_ description: String, code: Int32 = 1) {
        self.description = description
        self.code = code
    }
}
