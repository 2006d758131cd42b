import ArgumentParser
import Console
import Fleet

/// Room on the nodes.
struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Remove generations but the last two, and what nothing refers to.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "Only these nodes.") var nodes: [String] = []
    @Flag(help: "Also the system that a rollback kept for diagnosis.") var failed = false

    func run() async throws {
        let context = try OperatorContext(options)
        let script = MaintenanceScripts(context.paths).collect
        let words = failed ? ["failed"] : []
        try await Everywhere.run(context, nodes) { node in
            NodeCall(node, script, words, deadline: .seconds(900))
        }
    }
}

/// The nodes' own check of what they promise.
struct IntegrityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrity", abstract: "Verify the audit chain of nodes, on the nodes.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "Only these nodes.") var nodes: [String] = []

    func run() async throws {
        let context = try OperatorContext(options)
        let script = MaintenanceScripts(context.paths).integrity
        try await Everywhere.run(context, nodes) { node in
            NodeCall(node, script, [], deadline: .seconds(900))
        }
    }
}

/// A script on many nodes, a few at a time, and what each said.
enum Everywhere {
    static func run(_ context: OperatorContext, _ names: [String], _ call: @escaping @Sendable (Node) -> NodeCall)
        async throws
    {
        let ssh = try context.ssh
        let said = await concurrently(try context.nodes(names), most: 8) { node -> (String, String, Bool) in
            do {
                return (node.name, try await ssh.perform(call(node)), true)
            } catch {
                return (node.name, "\(error)", false)
            }
        }
        for (node, text, isDone) in said {
            for line in text.split(whereSeparator: \.isNewline) {
                let whole = "\(node): \(String(line).printable)"
                if isDone { Terminal.line(whole) } else { Terminal.note(whole) }
            }
        }
        if said.contains(where: { !$0.2 }) { throw ExitCode(1) }
    }
}
