import ArgumentParser
import CProcess
import Glibc
import Wire

/// The vault's command line. Does the L2 cryptography on this machine.
@main
struct Clavitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor",
        abstract: "Passwords and credentials for you and your agents, in a vault on a Clavitor node.",
        discussion: """
            Secrets are never taken from the command line: they are asked for, or read from standard input or files. \
            CLAVITOR_SERVER, CLAVITOR_CA_FILE, CLAVITOR_TOKEN_FILE and CLAVITOR_PASSWORD_FILE stand in for --server, \
            --ca-file, --token-file and --password-file.

            An agent works with ls, get, totp, edit, deposit and run, and the token in a file: --token-file PATH.

            Completions: clavitor --generate-completion-script bash|zsh|fish

            \(Outcome.table)
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Account",
                subcommands: [
                    Register.self, Login.self, Logout.self, Status.self, ChangePassword.self, Recover.self, Kit.self,
                    SecondFactor.self, Sessions.self, SignOutEverywhere.self, L2.self, Forget.self, DeleteAccount.self,
                ]),
            CommandGroup(
                name: "Entries",
                subcommands: [
                    Add.self, List.self, Get.self, OneTimeCode.self, Edit.self, Remove.self, Restore.self, Purge.self,
                    History.self,
                ]),
            CommandGroup(name: "Agents", subcommands: [Agent.self, Deposits.self, Deposit.self, Audit.self]),
            CommandGroup(name: "Tools", subcommands: [Run.self, Generate.self, Nodes.self]),
        ])

    /// Here too, so that an alias can carry them: `alias clavitor='clavitor --ca-file dev-cert.pem'`.
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    static func main() async {
        // Passwords and keys pass through here. A system that refuses is one where a debugger may look.
        _ = process_hide_memory()
        do {
            // Not even the program's own name.
            guard !CommandLine.arguments.isEmpty else {
                throw CommandFailure(
                    .failed, "/proc is not mounted, so the arguments cannot be read.", hint: "mount -t proc proc /proc")
            }
            var command = try await asyncParseAsRoot(NameArgument.marked(Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Says what went wrong, the one place where an error stops being thrown.
    ///
    /// - Returns: The exit code.
    private static func report(_ error: any Error) -> Int32 {
        let terminal = Terminal()
        switch error {
        case let failure as CommandFailure:
            terminal.note("clavitor: " + failure.printed)
            return failure.outcome.rawValue
        case let problem as Problem:
            return report(CommandFailure(problem))
        default:
            // ArgumentParser's own: help, wrong usage, a child's exit code.
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            guard code.isSuccess else {
                if !message.isEmpty { terminal.note(message) }
                if code == .validationFailure,
                    let meant = Suggestion.command(for: Array(CommandLine.arguments.dropFirst()))
                {
                    terminal.note("Did you mean: \(meant)")
                }
                // Its code for wrong usage is the 64 of sysexits.
                return code == .validationFailure ? Outcome.usage.rawValue : code.rawValue
            }
            do throws(CommandFailure) {
                if !message.isEmpty { try terminal.line(message) }
                return 0
            } catch {
                return report(error)
            }
        }
    }
}
