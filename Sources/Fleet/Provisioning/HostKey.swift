import Crypto
import FoundationEssentials

/// The public host key of an sshd, as `ssh-keyscan` prints it and the inventory keeps it.
package struct HostKey: Equatable, Sendable {
    /// `ssh-ed25519 AAAA…`.
    package let text: String
    private let bytes: Data

    /// Reads `ssh-ed25519 AAAA…`, with or without a comment.
    package init(_ text: some StringProtocol) throws(HostKeyError) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "ssh-ed25519", let bytes = Data(base64Encoded: String(words[1])),
            // Two strings with their lengths: the algorithm's name and 32 bytes.
            bytes.count == 51
        else { throw .notAKey }
        self.text = "\(words[0]) \(words[1])"
        self.bytes = bytes
    }

    /// Reads what `ssh-keyscan -t ed25519` prints.
    package init(scan: String) throws(HostKeyError) {
        let lines = scan.split(separator: "\n").filter { !$0.hasPrefix("#") }
        guard let line = lines.first, let space = line.firstIndex(of: " ") else { throw .noAnswer }
        try self.init(line[line.index(after: space)...])
    }

    /// `SHA256:…`, as OpenSSH shows it.
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
        case .notAKey: "This is no host key: it looks like ssh-ed25519 AAAA… (cat /etc/ssh/ssh_host_ed25519_key.pub)."
        case .noAnswer: "No sshd with an ed25519 key answers at the node's ipv4. Is the machine up, and port 22 open?"
        case .other(let shown, let expected):
            """
            The machine shows the host key \(shown), not \(expected). Somebody may be in between: compare it on the \
            provider's console.
            """
        }
    }
}
