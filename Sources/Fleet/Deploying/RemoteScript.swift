/// A POSIX shell script that is sent to a node over standard input. It leaves files in the state directory only.
package struct RemoteScript: Equatable, Sendable {
    package let name: String
    package let text: String

    package init(_ name: String, _ paths: NodePaths, _ body: String) {
        self.name = name
        text = paths.prelude + body
    }
}

/// A call of a script on a node, with its arguments and connection options.
package struct RemoteCall: Equatable, Sendable {
    package var node: Node
    package var script: RemoteScript
    package var arguments: [String]
    /// Whether to use a new connection.
    package var fresh = false
    package var deadline = Duration.seconds(30)

    package init(
        _ node: Node, _ script: RemoteScript, _ arguments: [String], fresh: Bool = false,
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
    package func perform(_ call: RemoteCall) async throws -> String {
        try await run(
            call.node, call.command, input: call.script.text, fresh: call.fresh, deadline: call.deadline)
    }

    /// The command line of the call.
    package func line(_ call: RemoteCall) throws(SSHError) -> String {
        let process = try process(call.node, call.command, fresh: call.fresh, deadline: call.deadline)
        return "\(process) < \(call.script.name)"
    }
}
