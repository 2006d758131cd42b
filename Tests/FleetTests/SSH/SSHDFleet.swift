import Fleet
import Foundation
import Synchronization
import TestSupport

/// Machines on 127.0.84.0/24, each with a real sshd and a rig. The hub permits forwarding for `ssh -J` only.
final class SSHDFleet: Sendable {
    private let scratch: Scratch
    let folder: String
    let inventoryText: String
    let inventory: Inventory
    let rigs: [String: NodeRig]
    let paths: SSHFiles.Paths
    private let servers = Mutex<[String: RunningTool]>([:])

    static let isPossible = getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd")

    /// Starts them with new keys. The inventory has a wrong host key for `wrongKey`.
    init(_ spokes: [(name: String, region: String)], wrongKey: String? = nil) async throws {
        scratch = try Scratch()
        folder = scratch.path
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        var keys: [String: String] = [:]
        for name in ["operator", "zurich"] + spokes.map(\.name) {
            try await Self.run(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "\(folder)/\(name).key"])
            let text = try String(contentsOfFile: "\(folder)/\(name).key.pub", encoding: .utf8)
            keys[name] = text.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
        }
        if let wrongKey { keys[wrongKey] = keys["operator"] }
        inventoryText = FleetFixture.text(spokes: spokes, hostKeys: keys)
        inventory = try Inventory(toml: inventoryText)
        var rigs: [String: NodeRig] = [:]
        for node in inventory.nodes { rigs[node.name] = try NodeRig("\(folder)/\(node.name)") }
        self.rigs = rigs
        paths = SSHFiles.Paths(directory: "\(folder)/s", identity: "\(folder)/operator.key")
        for node in inventory.nodes { try start(node.name) }
        for node in inventory.nodes { try await answers(node) }
    }

    deinit {
        for name in rigs.keys { stop(name) }
    }

    func rig(_ name: String) throws -> NodeRig {
        guard let rig = rigs[name] else { throw InventoryError.noSuchNode(name, []) }
        return rig
    }

    func start(_ name: String) throws {
        let node = try inventory.node(name)
        let root = "\(folder)/\(name)"
        try NodeRig.program(
            "\(root)/enter", "cd \(root) && PATH=\(root)/bin:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"")
        let forwarding = node.role == .hub ? "local" : "no"
        let config = """
            ListenAddress \(node.address):22
            HostKey \(folder)/\(name).key
            AuthorizedKeysFile \(folder)/operator.key.pub
            ForceCommand \(root)/enter
            AllowTcpForwarding \(forwarding)
            AuthenticationMethods publickey
            PermitRootLogin prohibit-password
            MaxStartups 100
            StrictModes no
            UsePAM no
            PidFile none
            """
        try Data(config.utf8).write(to: URL(filePath: "\(root)/sshd_config"))
        let server = try RunningTool("/usr/sbin/sshd", ["-D", "-e", "-f", "\(root)/sshd_config"])
        servers.withLock { $0[name] = server }
    }

    /// Ends the server and its connections, and no other process of the machine.
    func stop(_ name: String) {
        guard let server = servers.withLock({ $0.removeValue(forKey: name) }) else { return }
        for child in Self.children(of: server.id) { kill(child, SIGKILL) }
        server.kill()
    }

    private func answers(_ node: Node) async throws {
        try await eventually("the sshd of \(node.name) listens", every: .milliseconds(20)) {
            let outcome = try await SystemProcesses().run(
                ChildProcess("ssh-keyscan", ["-T", "1", "-t", "ed25519", node.address], deadline: .seconds(120)))
            return outcome.output.contains("ssh-ed25519")
        }
    }

    private static func children(of parent: Int32) -> [Int32] {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        let direct = pids.filter { pid in
            let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            let fields = stat.drop { $0 != ")" }.split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == parent && stat.contains("(sshd)")
        }
        return direct + direct.flatMap { children(of: $0) }
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let outcome = try await SystemProcesses().run(ChildProcess(program, arguments, deadline: .seconds(120)))
        guard outcome.status == 0 else { throw ChildError.failed(program, outcome.errors) }
    }
}

/// Real programs, except for `nix-copy-closure`, whose stand-in connects to the node with the given options.
struct OperatorProcesses: ChildProcesses {
    func run(_ child: ChildProcess) async throws -> ChildOutcome {
        guard child.executable == "nix-copy-closure" else { return try await SystemProcesses().run(child) }
        var copy = ChildProcess(
            "sh", ["-c", "exec ssh $NIX_SSHOPTS \"$2\" test -d \"$3\"", "sh"] + child.arguments,
            deadline: .seconds(120))
        copy.environment = child.environment
        return try await SystemProcesses().run(copy)
    }
}

extension SSH {
    /// Ends the shared connections, which would stay open for a minute.
    func disconnect(_ nodes: [Node]) async {
        for node in nodes where !node.hostKey.isEmpty {
            let child = ChildProcess("ssh", ["-F", paths.config, "-O", "exit", node.name], deadline: .seconds(120))
            _ = try? await SystemProcesses().run(child)
        }
    }
}
