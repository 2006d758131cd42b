/// A machine on which commands can be run as root.
package protocol RemoteShell: Sendable {
    /// - Returns: What it printed.
    /// - Throws: Also when the command's status is not zero.
    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String

    /// The same with a file of this machine as standard input.
    func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String
}

/// A node of the fleet, through the tunnel.
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
    /// A script with its arguments; standard input stays free.
    package static func script(_ text: String, _ arguments: [String] = []) -> RemoteCommand {
        RemoteCommand(["sh", "-c", text, "clavitor-soc"] + arguments)
    }
}
