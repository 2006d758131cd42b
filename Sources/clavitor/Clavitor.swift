import ArgumentParser
import CProcess
import Glibc
import Wire

/// The command-line client of a vault. Encrypts and decrypts L2 values locally.
@main
struct Clavitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor",
        abstract: "A password and credential vault for people and agents, on a Clavitor node.",
        discussion: """
            Secrets are never command-line arguments: they are read from a prompt, standard input or files. \
            CLAVITOR_SERVER, CLAVITOR_CA_FILE, CLAVITOR_TOKEN_FILE and CLAVITOR_PASSWORD_FILE are the defaults of \
            --server, --ca-file, --token-file and --password-file.

            Agents can use ls, get, totp, edit, deposit and run, with their token in a file: --token-file PATH.

            Completions: clavitor --generate-completion-script bash|zsh|fish

            \(ExitStatus.table)
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Account",
                subcommands: [
                    Register.self, Login.self, Logout.self, Status.self, ChangePassword.self, Recover.self, Kit.self,
                    Passkey.self, SecondFactor.self, Sessions.self, SignOutEverywhere.self, L2.self, Forget.self,
                    DeleteAccount.self,
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

    /// Declared at the root too, so that an alias can set them: `alias clavitor='clavitor --ca-file dev-cert.pem'`.
    @OptionGroup(title: "Global options") var global: GlobalOptions

    static func main() async {
        // Protects passwords and keys in memory. Where the system denies the call, debuggers can attach.
        _ = process_deny_inspection()
        do {
            // Without /proc not even the program's name can be read.
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

    /// Prints an error. All errors end here.
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
            // Errors of ArgumentParser: help, wrong usage, and the exit code of a child process.
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            guard code.isSuccess else {
                if !message.isEmpty { terminal.note(message) }
                if code == .validationFailure,
                    let meant = Suggestion.command(for: Array(CommandLine.arguments.dropFirst()))
                {
                    terminal.note("Did you mean: \(meant)")
                }
                // ArgumentParser's code for wrong usage is EX_USAGE (64).
                return code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue
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
