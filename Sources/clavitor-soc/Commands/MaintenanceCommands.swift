import ArgumentParser
import Console
import Fleet

/// Collects garbage on nodes.
struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Remove all generations except the last two, and unreferenced store paths.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "Nodes. (default: all)") var nodes: [String] = []
    @Flag(help: "Also remove the system that a rollback kept for diagnosis.") var failed = false

    func run() async throws {
        let context = try OperatorContext(options)
        let script = MaintenanceScripts(context.paths).collect
        let words = failed ? ["failed"] : []
        try await ParallelRun.run(context, nodes) { node in
            RemoteCall(node, script, words, deadline: .seconds(900))
        }
    }
}

/// Verifies the audit chains of nodes.
struct IntegrityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrity", abstract: "Verify the audit chains on the nodes.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "Nodes. (default: all)") var nodes: [String] = []

    func run() async throws {
        let context = try OperatorContext(options)
        let script = MaintenanceScripts(context.paths).integrity
        try await ParallelRun.run(context, nodes) { node in
            RemoteCall(node, script, [], deadline: .seconds(900))
        }
    }
}

/// Runs a script on many nodes, a few at a time, and prints the output of each.
enum ParallelRun {
    static func run(_ context: OperatorContext, _ names: [String], _ call: @escaping @Sendable (Node) -> RemoteCall)
        async throws
    {
        let ssh = try context.ssh
        let results = await concurrently(try context.nodes(names), limit: 8) { node -> (String, String, Bool) in
            do {
                return (node.name, try await ssh.perform(call(node)), true)
            } catch {
                return (node.name, "\(error)", false)
            }
        }
        for (node, text, isSuccess) in results {
            for line in text.split(whereSeparator: \.isNewline) {
                let prefixed = "\(node): \(String(line).printable)"
                if isSuccess { Terminal.line(prefixed) } else { Terminal.note(prefixed) }
            }
        }
        if results.contains(where: { !$0.2 }) { throw ExitCode(1) }
    }
}
