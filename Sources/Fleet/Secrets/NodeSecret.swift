/// The secrets that a node may be given, and no others.
package enum NodeSecret: String, CaseIterable, Sendable {
    case pushURL = "push-url"
    case rootKey = "root.key"
    case monitorCA = "monitor-ca.pem"
    case monitorCertificate = "monitor.crt"
    case monitorKey = "monitor.key"
    /// WireGuard's; comes from `keys`, and cannot be set.
    case privateKey = "private.key"

    /// - Throws: `NodeSecretError.unknown`.
    package init(name: String) throws(NodeSecretError) {
        guard let secret = Self(rawValue: name) else { throw .unknown(name) }
        self = secret
    }

    /// Where nix/node.nix and nix/hub.nix look for it.
    package var folder: String { self == .privateKey ? "/etc/wireguard" : "/etc/clavitor" }

    /// The node itself reads the certificate authority's certificate, which is no secret; all else is handed to it by
    /// systemd, which is root.
    package var mode: String {
        switch self {
        case .monitorCA, .monitorCertificate: "0644"
        case .pushURL, .rootKey, .monitorKey, .privateKey: "0600"
        }
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
        case .rootKey:
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .unfit(self, "the file that `clavitor-node init` made")
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
        }
    }
}

package enum NodeSecretError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknown(String)
    case unfit(NodeSecret, String)
    case fromKeys
    case nothing(String)

    package var description: String {
        switch self {
        case .unknown(let name):
            """
            \(name) is no secret of a node. There are: \
            \(NodeSecret.allCases.map(\.rawValue).joined(separator: ", ")).
            """
        case .unfit(let secret, let expected): "This does not look like \(secret.rawValue). It should be \(expected)."
        case .fromKeys: "private.key is made by `clavitor-soc keys generate` and `keys rotate`."
        case .nothing(let node):
            "There is nothing to push to \(node). Begin with `clavitor-soc secrets set \(node) NAME`."
        }
    }
}
