import Encoding

/// The forms in which a program may print a secret: verbatim, line by line, and in the encodings common in logs.
enum SecretEncodings {
    /// Shorter base64 and hexadecimal strings occur in ordinary output.
    private static let leastEncoded = 8

    static func all(of secret: String) -> [[UInt8]] {
        let bytes = Array(secret.utf8)
        var texts = [secret] + percentEncoded(secret) + jsonEscaped(secret) + shellQuoted(secret)
        let lines = secret.split(whereSeparator: \.isNewline)
        if lines.count > 1 { texts += lines.filter { $0.utf8.count >= 8 }.map(String.init) }
        let encoded = base64(bytes) + [hexadecimal(bytes, "0123456789abcdef"), hexadecimal(bytes, "0123456789ABCDEF")]
        texts += encoded.filter { $0.utf8.count >= leastEncoded }
        return texts.map { Array($0.utf8) }
    }

    /// Base64 (RFC 4648) in both alphabets, at each of the three alignments of the secret in the encoded text, such as `user:secret`
    /// of HTTP Basic. Omits characters that depend on neighbouring bytes.
    private static func base64(_ bytes: [UInt8]) -> [String] {
        (0..<3).flatMap { before -> [String] in
            let padded = [UInt8](repeating: 0, count: before) + bytes
            let text = Base64.encode(padded)
            // A character encodes six bits. At the end of the encoded text the last character depends on the secret alone.
            let first = (before * 8 + 5) / 6
            let whole = text.utf8.count - text.utf8.count(where: { $0 == UInt8(ascii: "=") })
            let inner = padded.count * 8 / 6
            return Set([whole, inner]).filter { $0 > first }.flatMap { end -> [String] in
                let part = String(decoding: Array(text.utf8)[first..<end], as: UTF8.self)
                return [part, String(part.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })]
            }
        }
    }

    /// Percent-encoding (RFC 3986) with the reserved sets of common libraries, and HTML form encoding.
    private static func percentEncoded(_ secret: String) -> [String] {
        var texts: [String] = []
        for spared in ["", "/", "!'()*", "/!'()*", "!$&'()*+,;=:@", "!$&'()*+,;=:@/?"] {
            for upperCase in [true, false] {
                for plus in [true, false] {
                    texts.append(
                        PercentEncoding.encode(
                            secret, upperCase: upperCase, spaceAsPlus: plus, sparing: Array(spared.utf8)))
                }
            }
        }
        return texts
    }

    /// JSON strings (RFC 8259 section 7): with mandatory escapes, with `/` and non-ASCII escaped, and HTML-safe.
    private static func jsonEscaped(_ secret: String) -> [String] {
        [(false, false, false), (true, false, false), (false, true, false), (true, true, false), (false, true, true)]
            .map { slash, ascii, html in
                var text = ""
                for unit in secret.unicodeScalars {
                    switch unit {
                    case "\"": text += "\\\""
                    case "\\": text += "\\\\"
                    case "\n": text += "\\n"
                    case "\r": text += "\\r"
                    case "\t": text += "\\t"
                    case "\u{8}": text += "\\b"
                    case "\u{c}": text += "\\f"
                    case "/" where slash: text += "\\/"
                    case "<", ">", "&", "'":
                        text += html ? escape(unit) : String(unit)
                    case _ where unit.value < 0x20 || ascii && unit.value > 0x7e: text += escape(unit)
                    default: text.unicodeScalars.append(unit)
                    }
                }
                return text
            }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    /// As `set -x` and `printf %q` show it.
    private static func shellQuoted(_ secret: String) -> [String] {
        let special = Set(" !\"#$&'()*,;<>?[\\]^`{|}~".unicodeScalars)
        return [
            secret.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"),
            secret.unicodeScalars.map { special.contains($0) ? "\\\($0)" : "\($0)" }.joined(),
        ]
    }

    private static func hexadecimal(_ bytes: [UInt8], _ digits: String) -> String {
        let digits = Array(digits)
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
