package import Crypto
import FoundationEssentials

/// A named secret shared with a name server (RFC 8945, section 4.2).
package struct TSIGKey: Sendable {
    /// RFC 8945, section 6, has more; these two are the ones in common use.
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

    /// Parses `algorithm:name:secret`, the secret in base64, as for `kdig -y`, `knsupdate -y` and `nsupdate -y`.
    ///
    /// A `String` cannot be wiped: do not store it.
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

    /// Compares in constant time. A truncated MAC (RFC 8945, section 5.2.2.1) is rejected: no server must send one.
    func isValid(_ mac: [UInt8], of bytes: [UInt8]) -> Bool {
        switch algorithm {
        case .hmacSHA256: HMAC<SHA256>.isValidAuthenticationCode(mac, authenticating: bytes, using: secret)
        case .hmacSHA512: HMAC<SHA512>.isValidAuthenticationCode(mac, authenticating: bytes, using: secret)
        }
    }
}

extension TSIGKey.Algorithm {
    /// The domain name that represents the algorithm in messages.
    var name: DNSName { DNSName(labels: [Array(rawValue.utf8)]) }
}

extension TSIGKey: CustomStringConvertible, CustomReflectable {
    /// Algorithm and name, without the secret.
    package var description: String { "\(algorithm.rawValue):\(name)" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a text is not a TSIG key. The text is never quoted, because any part of it may be the secret.
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
            "The TSIG key must have the form hmac-sha256:name:secret. Make one with `keymgr -t name` or `tsig-keygen name`."
        case .algorithm:
            "The TSIG key's algorithm is not supported. Use hmac-sha256 or hmac-sha512."
        case .name:
            "The name in the TSIG key must be a domain name. Copy it from the server's configuration."
        case .secret:
            "The secret of the TSIG key must be base64. Copy all of it, including the = at its end."
        case .shortSecret:
            "The secret of the TSIG key must be at least \(TSIGKey.minimumSecretByteCount) bytes. Make a new key."
        }
    }
}
