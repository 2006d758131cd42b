import Crypto
import Encoding
import FoundationEssentials

/// OpenSSH's configuration and known_hosts for the fleet, generated from the inventory; `~/.ssh` is not used.
package struct SSHFiles: Equatable, Sendable {
    /// Paths of SSH files on the operator's machine.
    package struct Paths: Equatable, Sendable {
        /// A directory of mode 0700 with a short path: a socket's path has at most 107 bytes.
        package var directory: String
        /// The operator's key; nil to use `ssh-agent`.
        package var identity: String?
        /// The private break-glass key to reach spokes directly; nil to use the tunnel.
        package var breakGlass: String?
        /// Whether the hub is reached with that key too. False for deploys, which need the lock on a running hub.
        package var isHubDirect: Bool

        package init(
            directory: String, identity: String?, breakGlass: String? = nil, isHubDirect: Bool = false
        ) {
            (self.directory, self.identity) = (directory, identity)
            (self.breakGlass, self.isHubDirect) = (breakGlass, isHubDirect)
        }

        /// The file with an operator's public key: with it ssh uses only that key of the agent.
        func publicKey(of operator: Inventory.Operator) -> String { "\(directory)/\(`operator`.name).pub" }

        package var config: String { "\(directory)/ssh_config" }
        package var knownHosts: String { "\(directory)/known_hosts" }
    }

    package let config: String
    package let knownHosts: String
    /// The operators' public keys by path, for keys in the agent.
    package let publicKeys: [String: String]

    /// The port of the emergency sshd in nix/break-glass.nix.
    static let breakGlassPort = 2_222

    /// Generates the files. Nodes without a host key are left out; `SSH` reports them.
    ///
    /// - Parameters:
    ///   - inventory: Names, addresses and host keys.
    ///   - paths: The paths of the files.
    /// - Throws: `SSHError.pathTooLong`, `SSHError.spacesInPath`.
    package init(_ inventory: Inventory, _ paths: Paths) throws(SSHError) {
        // NIX_SSHOPTS and ssh_config split at spaces.
        for path in [paths.directory, paths.identity ?? "", paths.breakGlass ?? ""]
        where path.contains(where: { " \"'\t".contains($0) }) {
            throw .spacesInPath(path)
        }
        // ssh first binds "<path>.<16 random letters>", and then renames it.
        guard paths.directory.utf8.count + 1 + Self.controlCount + 17 <= 107 else {
            throw .pathTooLong(paths.directory)
        }
        let known = inventory.nodes.filter { !$0.hostKey.isEmpty }
        knownHosts = known.map { Self.pin($0) + "\n" }.joined()
        let operators = paths.identity == nil ? inventory.operators : []
        publicKeys = Dictionary(operators.map { (paths.publicKey(of: $0), $0.sshKey + "\n") }) { first, _ in first }
        let common = Self.all(paths, publicKeys.keys.sorted())
        config = (known.map { Self.host($0, inventory.hub, paths, common) } + [common]).joined(separator: "\n")
    }

    private static func pin(_ node: Node) -> String { "\(node.name) \(node.hostKey)" }

    /// Length of the file name of a shared connection.
    private static let controlCount = 24

    private static func host(_ node: Node, _ hub: Node?, _ paths: Paths, _ common: String) -> String {
        let direct = node.role == .spoke || paths.isHubDirect ? paths.breakGlass : nil
        var lines = [
            "Host \(node.name)",
            "    HostName \(direct == nil ? node.address : node.ipv4)",
            "    HostKeyAlias \(node.name)",
        ]
        var way = [pin(node)]
        if let direct {
            lines += [
                "    Port \(breakGlassPort)", "    ProxyJump none", "    IdentitiesOnly yes",
                "    IdentityFile \(direct)",
            ]
        } else if node.role == .spoke, let hub {
            lines.append("    ProxyJump \(hub.name)")
            way += [hub.address, pin(hub)]
        }
        // The name depends on the configuration, so that another pinned key does not reuse an old connection.
        let digest = SHA256.hash(data: Data((lines + way + [common]).joined(separator: "\n").utf8))
        lines.append("    ControlPath \(paths.directory)/\(Hexadecimal.encode(digest.prefix(controlCount / 2)))")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Options for all hosts. ssh uses the first value that it finds, so these come last.
    private static func all(_ paths: Paths, _ publicKeys: [String]) -> String {
        var lines = [
            "Host *",
            "    User root",
            "    UserKnownHostsFile \(paths.knownHosts)",
            "    GlobalKnownHostsFile none",
            "    StrictHostKeyChecking yes",
            "    UpdateHostKeys no",
            "    HostKeyAlgorithms ssh-ed25519",
            "    BatchMode yes",
            "    ForwardAgent no",
            "    ForwardX11 no",
            "    ConnectTimeout 4",
            "    ServerAliveInterval 10",
            "    ServerAliveCountMax 3",
            "    ControlMaster auto",
            "    ControlPersist 60",
            "    LogLevel ERROR",
        ]
        let identities = paths.identity.map { [$0] } ?? publicKeys
        if !identities.isEmpty { lines += ["    IdentitiesOnly yes"] + identities.map { "    IdentityFile \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }
}
