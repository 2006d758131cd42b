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

        package init(directory: String, identity: String?) {
            self.directory = directory
            self.identity = identity
        }

        package var config: String { "\(directory)/ssh_config" }
        package var knownHosts: String { "\(directory)/known_hosts" }
    }

    package let config: String
    package let knownHosts: String

    /// Nodes without a host key are left out; `SSH` says what to do about them.
    ///
    /// - Parameters:
    ///   - inventory: Names, addresses and host keys.
    ///   - places: Where the files will be.
    /// - Throws: `SSHError.pathTooLong`, `SSHError.spacesInPath`.
    package init(_ inventory: Inventory, _ places: Places) throws(SSHError) {
        // NIX_SSHOPTS and ssh_config both end a word at a space.
        for path in [places.directory, places.identity ?? ""] where path.contains(where: { " \"'\t".contains($0) }) {
            throw .spacesInPath(path)
        }
        // ssh binds "<path>.<16 random letters>" first and renames it then.
        guard places.directory.utf8.count + 1 + Self.controlCount + 17 <= 107 else {
            throw .pathTooLong(places.directory)
        }
        let known = inventory.nodes.filter { !$0.hostKey.isEmpty }
        knownHosts = known.map { Self.pin($0) + "\n" }.joined()
        config = (known.map { Self.host($0, inventory.hub, places) } + [Self.all(places)]).joined(separator: "\n")
    }

    private static func pin(_ node: Node) -> String { "\(node.name) \(node.hostKey)" }

    /// Letters of the name of a shared connection.
    private static let controlCount = 24

    private static func host(_ node: Node, _ hub: Node?, _ places: Places) -> String {
        var lines = [
            "Host \(node.name)",
            "    HostName \(node.address)",
            "    HostKeyAlias \(node.name)",
        ]
        var way = [pin(node)]
        if node.role == .spoke, let hub {
            lines.append("    ProxyJump \(hub.name)")
            way += [hub.address, pin(hub)]
        }
        // A shared connection lasts as long as what it was made by: another pinned key asks the machine anew.
        let digest = SHA256.hash(data: Data((lines + way + [all(places)]).joined(separator: "\n").utf8))
        lines.append("    ControlPath \(places.directory)/\(digest.prefix(controlCount / 2).hexadecimal)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first value that ssh finds counts, so that what holds for all stands last.
    private static func all(_ places: Places) -> String {
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
            "    ConnectTimeout 10",
            "    ServerAliveInterval 10",
            "    ServerAliveCountMax 3",
            "    ControlMaster auto",
            "    ControlPersist 60",
            "    LogLevel ERROR",
        ]
        if let identity = places.identity {
            lines += ["    IdentitiesOnly yes", "    IdentityFile \(identity)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
