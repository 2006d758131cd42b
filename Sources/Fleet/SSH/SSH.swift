import Console
import Files

/// Runs commands on nodes with the system's OpenSSH. Host keys are pinned to the inventory, and the operator's own SSH files
/// are not used.
package struct SSH: Sendable {
    package let inventory: Inventory
    package let paths: SSHFiles.Paths
    private let processes: any ChildProcesses

    package init(_ inventory: Inventory, _ paths: SSHFiles.Paths, _ processes: any ChildProcesses) {
        self.inventory = inventory
        self.paths = paths
        self.processes = processes
    }

    /// Writes the files that every command line uses, if they have changed.
    package func prepare() throws {
        let files = try SSHFiles(inventory, paths)
        for key in [paths.identity, paths.breakGlass].compactMap(\.self) { try Self.check(key) }
        try File.makeDirectory(paths.directory)
        let texts = [paths.config: files.config, paths.knownHosts: files.knownHosts]
        for (path, text) in texts.merging(files.publicKeys, uniquingKeysWith: { ours, _ in ours }) {
            let present = File.exists(path) ? try File.read(path, most: 1 << 20) : nil
            if present != text { try File.replace(path, with: text, mode: 0o600) }
        }
    }

    /// Checks a private key's permissions, for a clearer error than ssh's.
    private static func check(_ key: String) throws(SSHError) {
        guard let mode = FileStatus.mode(key) else {
            throw .identity("\(key) does not exist. Correct ssh-key or break-glass-key in soc.toml, or the option.")
        }
        guard mode & 0o077 == 0 else {
            throw .identity("Other users can read \(key), so ssh does not use it: chmod 600 \(key)")
        }
    }

    /// Builds the arguments of ssh.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - command: The command; nil for a shell.
    ///   - fresh: Use a new connection, which proves that one can be made.
    ///   - terminal: Allocate a terminal.
    /// - Returns: The arguments after `ssh`.
    /// - Throws: `SSHError.noHostKey`.
    package func arguments(
        _ node: Node, _ command: RemoteCommand?, fresh: Bool = false, terminal: Bool = false
    ) throws(SSHError) -> [String] {
        // A spoke is reached through the hub.
        for needed in [node] + (goesThroughHub(node) ? inventory.hub.map { [$0] } ?? [] : [])
        where needed.hostKey.isEmpty {
            throw .noHostKey(needed.name)
        }
        var arguments = ["-F", paths.config]
        if fresh { arguments += ["-o", "ControlPath=none"] }
        if terminal { arguments.append("-t") }
        arguments.append(node.name)
        if let command { arguments += ["--", command.description] }
        return arguments
    }

    private func goesThroughHub(_ node: Node) -> Bool { node.role == .spoke && paths.breakGlass == nil }

    package func process(
        _ node: Node, _ command: RemoteCommand, input: String? = nil, fresh: Bool = false,
        deadline: Duration = .seconds(30)
    ) throws(SSHError) -> ChildProcess {
        ChildProcess(
            "ssh", try arguments(node, command, fresh: fresh), input: input, deadline: deadline)
    }

    /// Runs a command on a node.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - command: The command.
    ///   - input: Its standard input.
    ///   - fresh: Use a new connection.
    ///   - deadline: For connection and command.
    /// - Returns: Its output.
    /// - Throws: `SSHError`; also for a non-zero status.
    package func run(
        _ node: Node, _ command: RemoteCommand, input: String? = nil, fresh: Bool = false,
        deadline: Duration = .seconds(30)
    ) async throws -> String {
        try await run(try process(node, command, input: input, fresh: fresh, deadline: deadline), node)
    }

    /// Runs a command on a node with a local file as standard input.
    package func send(_ path: String, _ node: Node, _ command: RemoteCommand, deadline: Duration) async throws
        -> String
    {
        var child = try process(node, command, deadline: deadline)
        child.inputFile = path
        return try await run(child, node)
    }

    /// Runs a command on a node and writes its output, of any size, to a local file.
    package func receive(_ node: Node, _ command: RemoteCommand, into path: String, deadline: Duration) async throws {
        let words = try arguments(node, command)
        _ = try await run(
            ChildProcess(
                "sh", ["-c", "out=$1; shift; exec ssh \"$@\" >\"$out\"", "sh", path] + words, deadline: deadline),
            node)
    }

    private func run(_ child: ChildProcess, _ node: Node) async throws -> String {
        let outcome: ChildOutcome
        do {
            outcome = try await processes.run(child)
        } catch ChildError.timedOut(_, let limit) {
            throw SSHError.timedOut(node.name, limit)
        }
        guard outcome.status == 0 else {
            let error = SSHFailure(outcome).error(for: node)
            guard case .unreachable = error, goesThroughHub(node), let hub = inventory.hub else { throw error }
            throw await cause(on: hub, of: node) ?? error
        }
        return outcome.output
    }

    /// Checks the hub after a spoke could not be reached: ssh's error does not tell which of the two failed.
    private func cause(on hub: Node, of node: Node) async -> SSHError? {
        guard let child = try? process(hub, RemoteCommand(["true"]), deadline: .seconds(10)) else { return nil }
        let outcome: ChildOutcome
        do {
            outcome = try await processes.run(child)
        } catch {
            return .hub(hub.name, node.name, "\(error)")
        }
        guard outcome.status != 0 else { return nil }
        switch SSHFailure(outcome).error(for: hub) {
        case .unreachable(_, let why): return .hub(hub.name, node.name, why)
        case let error: return error
        }
    }
}
