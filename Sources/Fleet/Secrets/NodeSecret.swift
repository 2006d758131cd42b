/// A secret file of a node or of the hub's monitor: its name, location and format.
package struct NodeSecret: Hashable, Sendable {
    /// The file name on the node, and the name in `clavitor-soc secrets`.
    package let name: String

    package static let pushURL = NodeSecret("push-url")
    package static let rootKey = NodeSecret("root.key")
    package static let monitorCA = NodeSecret("monitor-ca.pem")
    package static let monitorCertificate = NodeSecret("monitor.crt")
    package static let monitorKey = NodeSecret("monitor.key")
    /// The target of the monitor's own heartbeat.
    package static let deadManURL = NodeSecret("dead-man-url")
    /// The WireGuard key, managed by `keys`.
    package static let privateKey = NodeSecret("private.key")

    private static let fixed = [
        pushURL, rootKey, monitorCA, monitorCertificate, monitorKey, deadManURL, privateKey,
    ]

    private init(_ name: String) { self.name = name }

    /// A secret of a monitor's channel, such as `channel-phone-url`.
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

    /// The directory that nix/node.nix and nix/hub.nix expect.
    package var folder: String { self == .privateKey ? "/etc/wireguard" : "/etc/clavitor" }

    /// Public certificates are readable for the programs; systemd, as root, passes all other files to them.
    package var mode: String {
        [.monitorCA, .monitorCertificate].contains(self) ? "0644" : "0600"
    }

    package var folderMode: String { self == .privateKey ? "0700" : "0755" }

    /// Validates and normalises a value. Errors do not quote it.
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
                throw .unfit(self, "a certificate without a private key, because every user on the node can read it")
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
    /// The required secrets, except the WireGuard key.
    package func requiredSecrets(_ inventory: Inventory) -> [NodeSecret] {
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
            "\(name) is not a secret of a node. Known secrets: \(known.joined(separator: ", "))."
        case .unfit(let secret, let expected): "\(secret.name) must be \(expected)."
        case .fromKeys: "private.key cannot be set; use `clavitor-soc keys generate` or `keys rotate`."
        case .nothing(let node):
            "No secret is set for \(node). Set one first: clavitor-soc secrets set \(node) NAME"
        }
    }
}
