import Crypto
import FoundationEssentials

/// The two files that OpenSSH needs to reach the fleet: made of the inventory, so that nobody's `~/.ssh` has a say.
package struct SSHFiles: Equatable, Sendable {
    /// Where the operator's side keeps what belongs to SSH.
    package struct Places: Equatable, Sendable {
        /// A directory of mode 0700 with a short path: a socket's name has at most 107 bytes.
        package var directory: String
        /// The operator's key; nil for what `ssh-agent` offers.
        package var identity: String?
        /// The private half of the break-glass key, when spokes are reached directly by it; nil for the tunnel.
        package var breakGlass: String?
        /// Whether the hub is reached by that key, too: a deploy to spokes keeps its lock on a hub that runs again.
        package var isHubDirect: Bool

        package init(
            directory: String, identity: String?, breakGlass: String? = nil, isHubDirect: Bool = false
        ) {
            (self.directory, self.identity) = (directory, identity)
            (self.breakGlass, self.isHubDirect) = (breakGlass, isHubDirect)
        }

        /// An operator's public key: with it ssh asks the agent for that one, and for no other.
        func publicKey(of operator: Inventory.Operator) -> String { "\(directory)/\(`operator`.name).pub" }

        package var config: String { "\(directory)/ssh_config" }
        package var knownHosts: String { "\(directory)/known_hosts" }
    }

    package let config: String
    package let knownHosts: String
    /// By path; those of the operators, where the agent has the private half of one.
    package let publicKeys: [String: String]

    /// Of the emergency sshd, nix/break-glass.nix.
    static let breakGlassPort = 2_222

    /// Nodes without a host key are left out; `SSH` says what to do about them.
    ///
    /// - Parameters:
    ///   - inventory: Names, addresses and host keys.
    ///   - places: Where the files will be.
    /// - Throws: `SSHError.pathTooLong`, `SSHError.spacesInPath`.
    package init(_ inventory: Inventory, _ places: Places) throws(SSHError) {
        // NIX_SSHOPTS and ssh_config both end a word at a space.
        for path in [places.directory, places.identity ?? "", places.breakGlass ?? ""]
        where path.contains(where: { " \"'\t".contains($0) }) {
            throw .spacesInPath(path)
        }
        // ssh binds "<path>.<16 random letters>" first and renames it then.
        guard places.directory.utf8.count + 1 + Self.controlCount + 17 <= 107 else {
            throw .pathTooLong(places.directory)
        }
        let known = inventory.nodes.filter { !$0.hostKey.isEmpty }
        knownHosts = known.map { Self.pin($0) + "\n" }.joined()
        let operators = places.identity == nil ? inventory.operators : []
        publicKeys = Dictionary(operators.map { (places.publicKey(of: $0), $0.sshKey + "\n") }) { first, _ in first }
        let common = Self.all(places, publicKeys.keys.sorted())
        config = (known.map { Self.host($0, inventory.hub, places, common) } + [common]).joined(separator: "\n")
    }

    private static func pin(_ node: Node) -> String { "\(node.name) \(node.hostKey)" }

    /// Letters of the name of a shared connection.
    private static let controlCount = 24

    private static func host(_ node: Node, _ hub: Node?, _ places: Places, _ common: String) -> String {
        let direct = node.role == .spoke || places.isHubDirect ? places.breakGlass : nil
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
        // A shared connection lasts as long as what it was made by: another pinned key asks the machine anew.
        let digest = SHA256.hash(data: Data((lines + way + [common]).joined(separator: "\n").utf8))
        lines.append("    ControlPath \(places.directory)/\(digest.prefix(controlCount / 2).hexadecimal)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first value that ssh finds counts, so that what holds for all stands last.
    private static func all(_ places: Places, _ publicKeys: [String]) -> String {
        var lines = [
            "Host *",
            "    User root",
            "    UserKnownHostsFile \(places.knownHosts)",
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
        let identities = places.identity.map { [$0] } ?? publicKeys
        if !identities.isEmpty { lines += ["    IdentitiesOnly yes"] + identities.map { "    IdentityFile \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }
}
