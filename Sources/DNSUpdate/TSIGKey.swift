package import Crypto
import FoundationEssentials

/// A secret shared with a name server, under the name by which the server knows it (RFC 8945, section 4.2).
package struct TSIGKey: Sendable {
    /// RFC 8945, section 6, names more; these two are what servers of today are set up with.
    package enum Algorithm: String, CaseIterable, Sendable {
        case hmacSHA256 = "hmac-sha256"
        case hmacSHA512 = "hmac-sha512"
    }

    static let minimumSecretByteCount = 16

    package let name: DNSName
    package let algorithm: Algorithm
    private let secret: SymmetricKey

    package init(name: DNSName, algorithm: Algorithm = .hmacSHA256, secret: SymmetricKey) {
        self.name = name
        self.algorithm = algorithm
        self.secret = secret
    }

    /// Reads `algorithm:name:secret`, the secret in base64: what `kdig -y`, `knsupdate -y` and `nsupdate -y` take.
    ///
    /// A `String` cannot be wiped: do not keep it.
    package init(_ text: some StringProtocol) throws(TSIGKeyError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .form }
        guard let algorithm = Algorithm(rawValue: parts[0].lowercased()) else { throw .algorithm }
        guard let name = try? DNSName(parts[1]) else { throw .name }
        guard var bytes = Data(base64Encoded: String(parts[2])) else { throw .secret }
        defer { bytes.resetBytes(in: bytes.indices) }
        guard bytes.count >= Self.minimumSecretByteCount else { throw .shortSecret }
        self.init(name: name, algorithm: algorithm, secret: SymmetricKey(data: bytes))
    }

    func mac(of bytes: [UInt8]) -> [UInt8] {
        switch algorithm {
        case .hmacSHA256: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: secret))
        case .hmacSHA512: Array(HMAC<SHA512>.authenticationCode(for: bytes, using: secret))
        }
    }

    /// Compares in constant time. A MAC cut short (RFC 8945, section 5.2.2.1) is not valid: no server has to send one.
    func isValid(_ mac: [UInt8], of bytes: [UInt8]) -> Bool {
        switch algorithm {
        case .hmacSHA256: HMAC<SHA256>.isValidAuthenticationCode(mac, authenticating: bytes, using: secret)
        case .hmacSHA512: HMAC<SHA512>.isValidAuthenticationCode(mac, authenticating: bytes, using: secret)
        }
    }
}

extension TSIGKey.Algorithm {
    /// The algorithm as the domain name that stands for it on the wire.
    var name: DNSName { DNSName(labels: [Array(rawValue.utf8)]) }
}

extension TSIGKey: CustomStringConvertible, CustomReflectable {
    /// The public half of it.
    package var description: String { "\(algorithm.rawValue):\(name)" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a text is no TSIG key. The text itself is never quoted, any part of it may be the secret.
package enum TSIGKeyError: Error, Equatable, Sendable {
    case form
    case algorithm
    case name
    case secret
    case shortSecret
}

extension TSIGKeyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form:
            "The TSIG key should look like hmac-sha256:name:secret. `keymgr -t name` and `tsig-keygen name` make one."
        case .algorithm:
            "The TSIG key begins with an algorithm that we do not have. Use hmac-sha256 or hmac-sha512."
        case .name:
            "The name in the TSIG key is not a domain name. Take it as it stands in the server's configuration."
        case .secret:
            "The secret of the TSIG key is not base64. Copy it whole, with the = at its end."
        case .shortSecret:
            "The secret of the TSIG key is shorter than \(TSIGKey.minimumSecretByteCount) bytes. Make a new key."
        }
    }
}
