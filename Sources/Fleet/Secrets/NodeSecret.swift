/// A file that a node or the hub's monitor is given: its name, where it goes, and what it must look like.
package struct NodeSecret: Hashable, Sendable {
    /// Its file's name on the node, and its name in `clavitor-soc secrets`.
    package let name: String

    package static let pushURL = NodeSecret("push-url")
    package static let rootKey = NodeSecret("root.key")
    package static let monitorCA = NodeSecret("monitor-ca.pem")
    package static let monitorCertificate = NodeSecret("monitor.crt")
    package static let monitorKey = NodeSecret("monitor.key")
    /// Where the monitor's own heartbeat goes.
    package static let deadManURL = NodeSecret("dead-man-url")
    /// WireGuard's; comes from `keys`.
    package static let privateKey = NodeSecret("private.key")

    private static let fixed = [
        pushURL, rootKey, monitorCA, monitorCertificate, monitorKey, deadManURL, privateKey,
    ]

    private init(_ name: String) { self.name = name }

    /// A part of a channel of the monitor, `channel-phone-url`.
    package static func channel(_ channel: String, _ part: String) -> NodeSecret {
        NodeSecret("channel-\(channel)-\(part)")
    }

    /// - Throws: `NodeSecretError.unknown`.
    package init(name: String) throws(NodeSecretError) {
        let isChannels = Inventory.Channel.parts.contains { part in
            name.hasPrefix("channel-") && name.hasSuffix("-\(part)")
                && InventoryForms.isName(String(name.dropFirst(8).dropLast(part.count + 1)))
        }
        guard Self.fixed.contains(where: { $0.name == name }) || isChannels else {
            throw .unknown(name, Self.fixed.map(\.name) + ["channel-NAME-PART"])
        }
        self.name = name
    }

    /// Where nix/node.nix and nix/hub.nix look for it.
    package var folder: String { self == .privateKey ? "/etc/wireguard" : "/etc/clavitor" }

    /// Readable by the programs where it is no secret; all else is handed to them by systemd, which is root.
    package var mode: String {
        [.monitorCA, .monitorCertificate].contains(self) ? "0644" : "0600"
    }

    package var folderMode: String { self == .privateKey ? "0700" : "0755" }

    /// Without a line end where it is one line; says what is wrong with it without quoting it.
    package func checked(_ text: String) throws(NodeSecretError) -> String {
        switch self {
        case .pushURL:
            let line = text.filter { !$0.isNewline }
            guard line.hasPrefix("https://"), line.contains("/api/push/"), !line.contains(where: \.isWhitespace) else {
                throw .unfit(self, "an https URL with /api/push/, as `clavitor-monitor node add` prints it")
            }
            return line + "\n"
        case .deadManURL:
            let line = text.filter { !$0.isNewline }
            guard line.hasPrefix("https://"), !line.contains(where: \.isWhitespace) else {
                throw .unfit(self, "an https URL")
            }
            return line + "\n"
        case .rootKey:
            guard text.contains("clv_root_") else {
                throw .unfit(self, "a root key, as `clavitor-node root-key print` prints it")
            }
            return text
        case .monitorCA, .monitorCertificate:
            guard text.contains("-----BEGIN CERTIFICATE-----") else { throw .unfit(self, "a certificate in PEM") }
            guard !text.contains("PRIVATE KEY-----") else {
                throw .unfit(self, "a certificate alone: everybody on the node can read it, and this has a key in it")
            }
            return text
        case .monitorKey:
            guard text.contains("PRIVATE KEY-----") else { throw .unfit(self, "a private key in PEM") }
            return text
        case .privateKey: throw .fromKeys
        default:
            let line = text.filter { !$0.isNewline }
            guard !line.allSatisfy(\.isWhitespace) else { throw .unfit(self, "one line") }
            return line + "\n"
        }
    }
}

extension Node {
    /// What it cannot do without, but for its WireGuard key.
    package func neededSecrets(_ inventory: Inventory) -> [NodeSecret] {
        let all: [NodeSecret] = [.pushURL, .rootKey, .monitorCA]
        guard role == .hub else { return all }
        let isNotifying = inventory.notifying?.enabled != false
        let deadMan: [NodeSecret] = isNotifying && inventory.notifying?.deadMan != false ? [.deadManURL] : []
        let channels = inventory.channels.flatMap { channel in
            channel.allSecrets.map { NodeSecret.channel(channel.name, $0) }
        }
        return all + [.monitorCertificate, .monitorKey] + deadMan + channels
    }
}

package enum NodeSecretError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknown(String, [String])
    case unfit(NodeSecret, String)
    case fromKeys
    case nothing(String)

    package var description: String {
        switch self {
        case .unknown(let name, let known):
            "\(name) is no secret of a node. There are: \(known.joined(separator: ", "))."
        case .unfit(let secret, let expected): "This does not look like \(secret.name). It should be \(expected)."
        case .fromKeys: "private.key is made by `clavitor-soc keys generate` and `keys rotate`."
        case .nothing(let node):
            "There is nothing to push to \(node). Begin with `clavitor-soc secrets set \(node) NAME`."
        }
    }
}
