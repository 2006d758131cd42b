/// Runs commands as root on a machine.
package protocol RemoteShell: Sendable {
    /// - Returns: The output.
    /// - Throws: Also for a non-zero status.
    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String

    /// The same with a local file as standard input.
    func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String
}

/// A shell on a node of the fleet, through the tunnel.
package struct NodeShell: RemoteShell {
    private let ssh: SSH
    private let node: Node

    package init(_ ssh: SSH, _ node: Node) {
        self.ssh = ssh
        self.node = node
    }

    package func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        try await ssh.run(node, command, input: input, deadline: deadline)
    }

    package func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String {
        try await ssh.send(path, node, command, deadline: deadline)
    }
}

extension RemoteCommand {
    /// A script with its arguments; standard input remains available.
    package static func script(_ text: String, _ arguments: [String] = []) -> RemoteCommand {
        RemoteCommand(["sh", "-c", text, "clavitor-soc"] + arguments)
    }
}
