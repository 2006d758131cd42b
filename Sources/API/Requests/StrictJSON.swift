import Encoding
package import Wire

/// Validates JSON (RFC 8259) before decoding, and rejects whatever two parsers could read differently.
///
/// Rejects duplicate keys, members unknown to the schema, more values than the route allows, nesting deeper than 16, invalid
/// UTF-8, lone surrogates in escapes, more than 30 combining marks in a row, and trailing data. Foundation's decoder accepts
/// all but the last. A misspelt member could be a limit that the sender relies on and the node would ignore.
package enum StrictJSON {
    static let depth = 16

    /// Validates a body against the named schema.
    ///
    /// - Throws: A 400 problem that names the member, or the byte.
    package static func check(_ bytes: [UInt8], schema: String, maxValues: Int) throws(Problem) {
        do throws(Malformed) {
            try check(bytes, .schema(schema), maxValues: maxValues)
        } catch {
            if let member = error.unknown { throw .unknown(member, known: error.known) }
            throw Problem(
                .malformed, status: 400, title: "Malformed JSON", detail: "\(error.reason), at byte \(error.offset).")
        }
    }

    package static func check(_ bytes: [UInt8], _ schema: Schema.Member? = nil, maxValues: Int = .max) throws(Malformed)
    {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Malformed(reason: "the body is not valid UTF-8", offset: 0)
        }
        var scanner = Scanner(bytes: bytes, maxValues: maxValues)
        try scanner.value(schema, depth: 0)
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw scanner.error("data after the value") }
    }

    package struct Malformed: Error, Equatable {
        let reason: String
        /// Bytes from the start.
        let offset: Int
        /// The path of a member unknown to the schema.
        var unknown: String?
        /// The members that the schema has at that path.
        var known: [String] = []
    }
}

private struct Scanner {
    let bytes: [UInt8]
    let maxValues: Int
    var offset = 0
    private var values = 0
    /// Member names from the root to the current value.
    private var path: [String] = []

    init(bytes: [UInt8], maxValues: Int) {
        self.bytes = bytes
        self.maxValues = maxValues
    }

    var isAtEnd: Bool { offset >= bytes.count }

    func error(_ reason: String) -> StrictJSON.Malformed { .init(reason: reason, offset: offset) }

    mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { offset += 1 }
    }

    mutating func value(_ schema: Schema.Member?, depth: Int) throws(StrictJSON.Malformed) {
        guard depth <= StrictJSON.depth else { throw error("nested deeper than \(StrictJSON.depth)") }
        values += 1
        guard values <= maxValues else { throw error("more than \(maxValues) values") }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): try object(schema, depth: depth)
        case UInt8(ascii: "["): try array(schema, depth: depth)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case nil: throw error("unexpected end of text")
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): try number()
        default: throw error("not a JSON value")
        }
    }

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private mutating func object(_ schema: Schema.Member?, depth: Int) throws(StrictJSON.Malformed) {
        offset += 1
        var members: [String: Schema.Member]?
        if case .schema(let name)? = schema { members = Schema.all[name]?.byName ?? [:] }
        var keys: Set<[UInt8]> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("a member name must be in quotes") }
            let key = try string()
            guard keys.insert(key).inserted else { throw error("duplicate member") }
            let name = String(decoding: key, as: UTF8.self)
            var member: Schema.Member?
            if let members {
                // Compared by bytes: Swift strings treat the Kelvin sign and K as equal.
                guard let index = members.index(forKey: name), members[index].key.utf8.elementsEqual(key) else {
                    throw unknown(name, known: members.keys.sorted())
                }
                member = members[index].value
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected a colon") }
            path.append(name)
            try value(member, depth: depth + 1)
            path.removeLast()
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("expected a closing brace") }
    }

    /// Repeats at most 64 scalars of the name: a character can have any length.
    private func unknown(_ name: String, known: [String]) -> StrictJSON.Malformed {
        .init(
            reason: "an unknown member", offset: offset,
            unknown: (path + [String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))]).joined(separator: "."),
            known: known)
    }

    private mutating func array(_ schema: Schema.Member?, depth: Int) throws(StrictJSON.Malformed) {
        offset += 1
        var item: Schema.Member?
        if case .list(let member)? = schema { item = member }
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        repeat {
            try value(item, depth: depth + 1)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("expected a closing bracket") }
    }

    /// Returns the string's bytes with escapes resolved, so that `"a"` and `"\u0061"` are the same name.
    private mutating func string() throws(StrictJSON.Malformed) -> [UInt8] {
        offset += 1
        var text: [UInt8] = []
        while let byte = peek() {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard StreamSafeText.check(text) else {
                    throw error("more than \(StreamSafeText.marks) combining marks in a row")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string")
            default: text.append(byte)
            }
        }
        throw error("unterminated string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(StrictJSON.Malformed) {
        guard let byte = peek() else { throw error("unterminated string") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xd800..<0xdc00 ~= code {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("lone surrogate") }
                let low = try hexadecimal()
                guard 0xdc00..<0xe000 ~= low else { throw error("lone surrogate") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("lone surrogate") }
            text += Array(String(Character(scalar)).utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(StrictJSON.Malformed) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            offset += 1
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private mutating func word(_ word: StaticString) throws(StrictJSON.Malformed) {
        for byte in Array(word.description.utf8) {
            guard take(byte) else { throw error("not a JSON value") }
        }
    }

    private mutating func number() throws(StrictJSON.Malformed) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func digits() throws(StrictJSON.Malformed) {
        let start = offset
        while let byte = peek(), Self.isDigit(byte) { offset += 1 }
        guard offset > start else { throw error("expected a digit") }
    }
}
