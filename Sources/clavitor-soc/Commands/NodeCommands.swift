import ArgumentParser
import Fleet
import Subprocess

/// Opens a shell on a node, or runs one command.
struct SSHCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh", abstract: "Open a shell on a node, or run a command there.",
        discussion: "clavitor-soc ssh tokyo -- journalctl -b")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "The node.") var node: String
    @Argument(parsing: .postTerminator, help: "The command, after --.") var command: [String] = []

    func run() async throws {
        let context = try OperatorContext(options)
        let target = try context.inventory.node(node)
        let remote = command.isEmpty ? nil : RemoteCommand(command)
        try await Foreground.run(
            "ssh", try context.ssh(to: target).arguments(target, remote, terminal: command.isEmpty))
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print a node's journal.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "The node.") var node: String
    @Option(help: "The number of last lines.") var lines = 100
    @Option(help: "The unit.") var unit = "clavitor-node.service"
    @Flag(help: "Follow new lines.") var follow = false

    func run() async throws {
        let context = try OperatorContext(options)
        let target = try context.inventory.node(node)
        let words =
            ["journalctl", "--no-pager", "--output=short-iso", "--lines=\(lines)", "--unit=\(unit)"]
            + (follow ? ["--follow"] : [])
        try await Foreground.run(
            "ssh", try context.ssh(to: target).arguments(target, RemoteCommand(words)))
    }
}

/// Runs a child process in the foreground, and exits with its status.
enum Foreground {
    static func run(_ program: String, _ arguments: [String]) async throws {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), input: .currentStandardInput,
            output: .currentStandardOutput, error: .currentStandardError)
        switch result.terminationStatus {
        case .exited(0): return
        // ssh's status for a failed connection. It has printed the error.
        case .exited(255): throw ExitCode(1)
        case .exited(let code): throw ExitCode(code)
        case .signaled(let signal): throw ExitCode(128 + signal)
        }
    }
}
