import Crypto
import Encoding

/// The text header of an age file with the wrapped file key (specification, "Header").
///
/// A parsed header is well formed, but authentic only after `isAuthentic`.
struct AgeHeader {
    /// Enough for 600 recipients. The format has no limit, but a hostile file must not decide the memory use.
    static let maximumByteCount = 65_536

    private static let versionFamily = [UInt8]("age-encryption.org/".utf8)
    private static let version = [UInt8]("age-encryption.org/v1".utf8)
    private static let armorBegin = [UInt8]("-----BEGIN AGE".utf8)
    private static let macMark = [UInt8]("---".utf8)

    let stanzas: [AgeStanza]
    /// The bytes that the MAC covers: everything up to and including its `---` mark.
    private let authenticated: [UInt8]
    private let mac: [UInt8]

    /// Makes a new header with a MAC under the file key.
    init(stanzas: [AgeStanza], fileKey: FileKey) {
        self.stanzas = stanzas
        authenticated = Self.version + [UInt8(ascii: "\n")] + stanzas.flatMap(\.serialized) + Self.macMark
        mac = Array(HMAC<SHA256>.authenticationCode(for: authenticated, using: fileKey.macKey))
    }

    var serialized: [UInt8] {
        authenticated + [UInt8(ascii: " ")] + Base64.encodeUnpadded(mac) + [UInt8(ascii: "\n")]
    }

    /// Compares in constant time.
    func isAuthentic(fileKey: FileKey) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(mac, authenticating: authenticated, using: fileKey.macKey)
    }

    /// Parses the header at the beginning of `bytes`.
    ///
    /// - Parameter bytes: The file's first `maximumByteCount` bytes, or the whole file if it is shorter.
    /// - Returns: The header, and the offset of the payload in `bytes`.
    /// - Throws: `AgeError`, with the line number.
    static func parse(_ bytes: [UInt8]) throws(AgeError) -> (header: AgeHeader, payload: Int) {
        try checkVersion(bytes)
        var lines = HeaderLines(bytes)
        _ = try lines.next()
        var stanzas: [AgeStanza] = []
        while true {
            let start = lines.position
            let line = try lines.next()
            if line.starts(with: Array("->".utf8)) {
                stanzas.append(try AgeStanza(first: line, rest: &lines))
            } else if line.starts(with: macMark), !stanzas.isEmpty {
                guard line.starts(with: Array("--- ".utf8)), line.count == 47,
                    let mac = Base64.decodeUnpadded(line.dropFirst(4))
                else { throw .malformedHeader(line: lines.number, .mac) }
                let header = AgeHeader(
                    stanzas: stanzas,
                    authenticated: Array(bytes[..<(start + macMark.count)]),
                    mac: mac
                )
                try header.checkScrypt()
                return (header, lines.position)
            } else {
                throw .malformedHeader(line: lines.number, .stanzaExpected)
            }
        }
    }

    private init(stanzas: [AgeStanza], authenticated: [UInt8], mac: [UInt8]) {
        self.stanzas = stanzas
        self.authenticated = authenticated
        self.mac = mac
    }

    /// Tells the mistakes of people (the wrong file, an armored one) from a damaged file.
    private static func checkVersion(_ bytes: [UInt8]) throws(AgeError) {
        let wanted = version + [UInt8(ascii: "\n")]
        if bytes.starts(with: wanted) { return }
        // Mail programs and editors may put white space in front of armor.
        let trimmed = bytes.drop { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        if trimmed.starts(with: armorBegin) { throw .armored }
        if !bytes.isEmpty, wanted.starts(with: bytes) { throw .truncated }
        throw bytes.starts(with: versionFamily) ? .unsupportedVersion : .notAge
    }

    /// Enforces "The scrypt recipient type": a passphrase must be the only recipient, because users take it as proof of
    /// who wrote the file.
    private func checkScrypt() throws(AgeError) {
        guard let passphrase = stanzas.first(where: { $0.type == "scrypt" }) else { return }
        throw stanzas.count == 1 ? .passphraseProtected : .malformedHeader(line: passphrase.line, .mixedScrypt)
    }
}
