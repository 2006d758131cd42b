import Crypto
import Encoding
import FoundationEssentials

/// A time-based one-time password generator (RFC 6238).
package struct TOTP: Equatable, Sendable {
    package enum Algorithm: String, Sendable {
        case sha1 = "SHA1"
        case sha256 = "SHA256"
        case sha512 = "SHA512"
    }

    package var secret: [UInt8]
    package var algorithm = Algorithm.sha1
    /// 6 to 8.
    package var digits = 6
    /// Seconds, 1 to 3600.
    package var period: Int64 = 30

    package init(secret: [UInt8], algorithm: Algorithm = .sha1, digits: Int = 6, period: Int64 = 30) {
        self.secret = secret
        self.algorithm = algorithm
        self.digits = digits
        self.period = period
    }

    /// Parses a base 32 seed, as web sites display it, or an `otpauth://totp/…` URI
    /// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). Nil for anything else.
    package init?(_ text: String) {
        // Longer than any seed that a site issues, and fast to parse.
        guard text.utf8.count <= 1_024 else { return nil }
        guard text.lowercased().hasPrefix("otpauth://") else {
            guard let secret = Base32.decode(text), !secret.isEmpty else { return nil }
            self.init(secret: secret)
            return
        }
        guard text.lowercased().hasPrefix("otpauth://totp/") else { return nil }
        var parameters: [String: String] = [:]
        let query = text.drop { $0 != "?" }.dropFirst().prefix { $0 != "#" }
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            guard let value = PercentEncoding.decode(parts[1]).map({ String(decoding: $0, as: UTF8.self) }) else {
                return nil
            }
            parameters[parts[0].lowercased()] = value
        }
        guard let secret = parameters["secret"].flatMap(Base32.decode), !secret.isEmpty else { return nil }
        self.init(secret: secret)
        if let name = parameters["algorithm"] {
            guard let algorithm = Algorithm(rawValue: name.uppercased()) else { return nil }
            self.algorithm = algorithm
        }
        if let text = parameters["digits"] {
            guard let digits = Int(text), (6...8).contains(digits) else { return nil }
            self.digits = digits
        }
        if let text = parameters["period"] {
            guard let period = Int64(text), (1...3_600).contains(period) else { return nil }
            self.period = period
        }
    }

    /// The number of the period that contains `time` (Unix seconds).
    package func step(at time: Int64) -> Int64 { time / period }

    /// The code of a step, with leading zeros (RFC 4226 section 5.3).
    package func code(step: Int64) -> String {
        let message = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: step >> $0) }
        let key = SymmetricKey(data: secret)
        let digest: [UInt8] =
            switch algorithm {
            case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
            case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
            case .sha512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
            }
        let offset = Int((digest.last ?? 0) & 0x0f)
        let number = digest[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let modulus: UInt32 = (0..<digits).reduce(1) { product, _ in product * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    package func code(at time: Int64) -> String { code(step: step(at: time)) }

    /// Returns the step that the code belongs to, within one step of clock skew either way. Steps up to `last` are rejected, so
    /// that a code works once.
    package func accepts(_ code: String, at time: Int64, after last: Int64) -> Int64? {
        let now = step(at: time)
        return [now, now - 1, now + 1].first { step in
            step > last && constantTimeEqual(Array(self.code(step: step).utf8), Array(code.utf8))
        }
    }
}
