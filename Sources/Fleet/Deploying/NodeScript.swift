/// A POSIX shell script that goes to a node over standard input. It leaves no file but the state directory.
package struct NodeScript: Equatable, Sendable {
    package let name: String
    package let text: String

    init(_ name: String, _ paths: NodePaths, _ body: String) {
        self.name = name
        text = paths.prelude + body
    }
}

/// What goes to a node: a script, the words it gets, and how it travels.
package struct NodeCall: Equatable, Sendable {
    package var node: Node
    package var script: NodeScript
    package var arguments: [String]
    /// Over a connection of its own.
    package var fresh = false
    package var deadline = Duration.seconds(30)

    package init(
        _ node: Node, _ script: NodeScript, _ arguments: [String], fresh: Bool = false,
        deadline: Duration = .seconds(30)
    ) {
        self.node = node
        self.script = script
        self.arguments = arguments
        self.fresh = fresh
        self.deadline = deadline
    }

    var command: RemoteCommand { RemoteCommand(["sh", "-s", "--"] + arguments) }
}

extension SSH {
    package func perform(_ call: NodeCall) async throws -> String {
        try await run(
            call.node, call.command, input: call.script.text, fresh: call.fresh, deadline: call.deadline)
    }

    /// As it will run.
    package func line(_ call: NodeCall) throws(SSHError) -> String {
        let process = try process(call.node, call.command, fresh: call.fresh, deadline: call.deadline)
        return "\(process) < \(call.script.name)"
    }
}
