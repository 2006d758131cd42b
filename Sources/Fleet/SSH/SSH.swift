import Console
import Files

/// The fleet over the system's OpenSSH, with host keys pinned to the inventory and no file of the operator's own.
package struct SSH: Sendable {
    package let inventory: Inventory
    package let places: SSHFiles.Places
    private let processes: any ChildProcesses

    package init(_ inventory: Inventory, _ places: SSHFiles.Places, _ processes: any ChildProcesses) {
        self.inventory = inventory
        self.places = places
        self.processes = processes
    }

    /// Writes the two files that every command line names, where they differ from what is there.
    package func prepare() throws {
        let files = try SSHFiles(inventory, places)
        for key in [places.identity, places.breakGlass].compactMap(\.self) { try Self.check(key) }
        try File.makeDirectory(places.directory)
        let texts = [places.config: files.config, places.knownHosts: files.knownHosts]
        for (path, text) in texts.merging(files.publicKeys, uniquingKeysWith: { ours, _ in ours }) {
            let present = File.exists(path) ? try File.read(path, most: 1 << 20) : nil
            if present != text { try File.replace(path, with: text, mode: 0o600) }
        }
    }

    /// A private key, before ssh says something else of it.
    private static func check(_ key: String) throws(SSHError) {
        guard let mode = FileStatus.mode(key) else {
            throw .identity("There is no key at \(key). Correct ssh-key or break-glass-key in soc.toml, or the option.")
        }
        guard mode & 0o077 == 0 else {
            throw .identity("Others can read \(key), and ssh does not use it: chmod 600 \(key)")
        }
    }

    /// A command line of ssh's.
    ///
    /// - Parameters:
    ///   - node: Where.
    ///   - command: What to run there; nil for a shell.
    ///   - fresh: Over a connection of its own, which proves that another one can be made.
    ///   - terminal: With a terminal, for people.
    /// - Returns: What follows `ssh`.
    /// - Throws: `SSHError.noHostKey`.
    package func arguments(
        _ node: Node, _ command: RemoteCommand?, fresh: Bool = false, terminal: Bool = false
    ) throws(SSHError) -> [String] {
        // The way to a spoke leads through the hub.
        for needed in [node] + (goesThroughHub(node) ? inventory.hub.map { [$0] } ?? [] : [])
        where needed.hostKey.isEmpty {
            throw .noHostKey(needed.name)
        }
        var arguments = ["-F", places.config]
        if fresh { arguments += ["-o", "ControlPath=none"] }
        if terminal { arguments.append("-t") }
        arguments.append(node.name)
        if let command { arguments += ["--", command.description] }
        return arguments
    }

    private func goesThroughHub(_ node: Node) -> Bool { node.role == .spoke && places.breakGlass == nil }

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
    ///   - node: Where.
    ///   - command: What.
    ///   - input: For its standard input.
    ///   - fresh: Over a connection of its own.
    ///   - deadline: For all of it.
    /// - Returns: What it printed.
    /// - Throws: `SSHError`; also when the command's status is not zero.
    package func run(
        _ node: Node, _ command: RemoteCommand, input: String? = nil, fresh: Bool = false,
        deadline: Duration = .seconds(30)
    ) async throws -> String {
        try await run(try process(node, command, input: input, fresh: fresh, deadline: deadline), node)
    }

    /// Runs a command on a node with a file of this machine as its standard input.
    package func send(_ path: String, _ node: Node, _ command: RemoteCommand, deadline: Duration) async throws
        -> String
    {
        var child = try process(node, command, deadline: deadline)
        child.inputFile = path
        return try await run(child, node)
    }

    /// Runs a command on a node and writes what it prints, of any size and kind, to a file of this machine.
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
            let error = SSHFailure(outcome).error(asking: node)
            guard case .unreachable = error, goesThroughHub(node), let hub = inventory.hub else { throw error }
            throw await cause(on: hub, of: node) ?? error
        }
        return outcome.output
    }

    /// What is wrong with the hub, when a spoke cannot be reached: of a connection through it ssh says nothing about that.
    private func cause(on hub: Node, of node: Node) async -> SSHError? {
        guard let child = try? process(hub, RemoteCommand(["true"]), deadline: .seconds(10)) else { return nil }
        let outcome: ChildOutcome
        do {
            outcome = try await processes.run(child)
        } catch {
            return .hub(hub.name, node.name, "\(error)")
        }
        guard outcome.status != 0 else { return nil }
        switch SSHFailure(outcome).error(asking: hub) {
        case .unreachable(_, let why): return .hub(hub.name, node.name, why)
        case let error: return error
        }
    }
}
