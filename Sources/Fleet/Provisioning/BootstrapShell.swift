import Console

/// A root shell on a machine that is not part of the fleet yet: at its public address, with the operator's key and the
/// confirmed host key.
package struct BootstrapShell: RemoteShell {
    private let node: Node
    private let port: Int
    private let identity: String?
    private let knownHosts: String
    private let processes: any ChildProcesses

    /// Makes a shell.
    ///
    /// - Parameters:
    ///   - node: Must have an ipv4.
    ///   - port: The port of sshd.
    ///   - identity: The key that the provider installed; nil to use ssh-agent.
    ///   - knownHosts: The file with the node's name and host key.
    ///   - processes: Runs ssh.
    package init(
        _ node: Node, port: Int = 22, identity: String?, knownHosts: String, processes: any ChildProcesses
    ) {
        self.node = node
        self.port = port
        self.identity = identity
        self.knownHosts = knownHosts
        self.processes = processes
    }

    /// Options for ssh and for `NIX_SSHOPTS`.
    package var options: [String] {
        let key = identity.map { ["-o", "IdentitiesOnly=yes", "-i", $0] } ?? []
        return [
            "-F", "none", "-p", "\(port)", "-o", "UserKnownHostsFile=\(knownHosts)", "-o", "GlobalKnownHostsFile=none",
            "-o", "StrictHostKeyChecking=yes", "-o", "HostKeyAlias=\(node.name)", "-o", "HostKeyAlgorithms=ssh-ed25519",
            "-o", "UpdateHostKeys=no", "-o", "BatchMode=yes", "-o", "ForwardAgent=no", "-o", "ConnectTimeout=10",
            "-o", "ServerAliveInterval=10", "-o", "LogLevel=ERROR",
        ] + key
    }

    package var destination: String { "root@\(node.ipv4)" }

    package func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        try await run(
            ChildProcess("ssh", options + [destination, "--", command.description], input: input, deadline: deadline))
    }

    package func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String {
        var child = ChildProcess("ssh", options + [destination, "--", command.description], deadline: deadline)
        child.inputFile = path
        return try await run(child)
    }

    private func run(_ child: ChildProcess) async throws -> String {
        let outcome = try await processes.run(child)
        let last = outcome.errors.split(whereSeparator: \.isNewline).last
        let message = last.map { String($0).sanitizedLine() } ?? "no reason given"
        switch outcome.status {
        case 0: return outcome.output
        case 255 where outcome.errors.contains("Host key verification failed"): throw SSHError.wrongHostKey(node.name)
        case 255: throw SSHError.unreachable(node.name, message)
        case let status: throw SSHError.failed(node.name, status, message)
        }
    }

    /// Reads the host key that the machine presents, which is not trusted until an operator has compared it.
    package static func scan(_ node: Node, port: Int = 22, processes: any ChildProcesses) async throws -> HostKey {
        let outcome = try await processes.run(
            ChildProcess(
                "ssh-keyscan", ["-T", "10", "-p", "\(port)", "-t", "ed25519", node.ipv4], deadline: .seconds(30)))
        return try HostKey(scan: outcome.output)
    }
}
