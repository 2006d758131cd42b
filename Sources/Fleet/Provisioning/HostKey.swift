import Crypto
import FoundationEssentials

/// The public host key of an sshd, as printed by `ssh-keyscan` and stored in the inventory.
package struct HostKey: Equatable, Sendable {
    /// `ssh-ed25519 AAAA…`.
    package let text: String
    private let bytes: Data

    /// Parses `ssh-ed25519 AAAA…`, with or without a comment.
    package init(_ text: some StringProtocol) throws(HostKeyError) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "ssh-ed25519", let bytes = Data(base64Encoded: String(words[1])),
            // Two length-prefixed strings: the algorithm's name and 32 bytes.
            bytes.count == 51
        else { throw .notAKey }
        self.text = "\(words[0]) \(words[1])"
        self.bytes = bytes
    }

    /// Parses the output of `ssh-keyscan -t ed25519`.
    package init(scan: String) throws(HostKeyError) {
        let lines = scan.split(separator: "\n").filter { !$0.hasPrefix("#") }
        guard let line = lines.first, let space = line.firstIndex(of: " ") else { throw .noAnswer }
        try self.init(line[line.index(after: space)...])
    }

    /// `SHA256:…`, as in OpenSSH.
    package var fingerprint: String {
        let digest = Data(SHA256.hash(data: bytes)).base64EncodedString()
        return "SHA256:" + digest.filter { $0 != "=" }
    }
}

package enum HostKeyError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAKey
    case noAnswer
    case other(String, String)

    package var description: String {
        switch self {
        case .notAKey:
            "A host key must have the form ssh-ed25519 AAAA… (cat /etc/ssh/ssh_host_ed25519_key.pub)."
        case .noAnswer:
            "No sshd with an ed25519 key responds at the node's ipv4. Check that the machine is up and port 22 is open."
        case .other(let presented, let expected):
            """
            The machine presents the host key \(presented), not \(expected). This may be an attack: compare the key on the \
            provider's console.
            """
        }
    }
}
