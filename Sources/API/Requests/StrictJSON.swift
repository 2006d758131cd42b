import Encoding
import Wire

/// Checks JSON text (RFC 8259) before it is decoded: what two parsers could read differently is refused.
///
/// Refused are duplicate keys, members that the schema does not know, more values than a route can use, nesting deeper
/// than 16, invalid UTF-8, lone surrogates in escapes, more than 30 combining marks in a row, and anything after the value.
/// Foundation's decoder takes all but the last in its stride. A misspelt member would be a limit that its sender believes
/// in and the node never saw.
enum StrictJSON {
    static let depth = 16

    /// Checks a body against the schema of that name.
    ///
    /// - Throws: A 400 problem that names the member, or the byte.
    static func check(_ bytes: [UInt8], schema: String, mostValues: Int) throws(Problem) {
        do throws(Malformed) {
            try check(bytes, .schema(schema), mostValues: mostValues)
        } catch {
            if let member = error.unknown { throw .unknown(member, known: error.known) }
            throw Problem(
                .malformed, status: 400, title: "Malformed JSON", detail: "\(error.reason), at byte \(error.offset).")
        }
    }

    static func check(_ bytes: [UInt8], _ schema: Schema.Member? = nil, mostValues: Int = .max) throws(Malformed) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Malformed(reason: "the body is not valid UTF-8", offset: 0)
        }
        var scanner = Scanner(bytes: bytes, mostValues: mostValues)
        try scanner.value(schema, depth: 0)
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw scanner.error("something follows the value") }
    }

    struct Malformed: Error, Equatable {
        let reason: String
        /// Bytes from the start.
        let offset: Int
        /// A member that the schema does not know, with its path, and those that it does.
        var unknown: String?
        var known: [String] = []
    }
}

private struct Scanner {
    let bytes: [UInt8]
    let mostValues: Int
    var offset = 0
    private var values = 0
    /// Names of the members around the present value.
    private var path: [String] = []

    init(bytes: [UInt8], mostValues: Int) {
        self.bytes = bytes
        self.mostValues = mostValues
    }

    var isAtEnd: Bool { offset >= bytes.count }

    func error(_ reason: String) -> StrictJSON.Malformed { .init(reason: reason, offset: offset) }

    mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { offset += 1 }
    }

    mutating func value(_ schema: Schema.Member?, depth: Int) throws(StrictJSON.Malformed) {
        guard depth <= StrictJSON.depth else { throw error("nested deeper than \(StrictJSON.depth)") }
        values += 1
        guard values <= mostValues else { throw error("more than \(mostValues) values") }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): try object(schema, depth: depth)
        case UInt8(ascii: "["): try array(schema, depth: depth)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case nil: throw error("the text ends too early")
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
        if case .schema(let name)? = schema { members = Schema.all[name]?.named ?? [:] }
        var keys: Set<[UInt8]> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("a member needs a name in quotes") }
            let key = try string()
            guard keys.insert(key).inserted else { throw error("the same member twice") }
            let name = String(decoding: key, as: UTF8.self)
            var member: Schema.Member?
            if let members {
                // Byte by byte: to Swift the Kelvin sign and K are the same.
                guard let index = members.index(forKey: name), members[index].key.utf8.elementsEqual(key) else {
                    throw unknown(name, known: members.keys.sorted())
                }
                member = members[index].value
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is missing") }
            path.append(name)
            try value(member, depth: depth + 1)
            path.removeLast()
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("a brace is missing") }
    }

    /// At most 64 scalars of a name are said back: a character can be of any length.
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
        guard take(UInt8(ascii: "]")) else { throw error("a bracket is missing") }
    }

    /// The string's bytes with escapes resolved, so that `"a"` and `"\u0061"` are the same name.
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
        throw error("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(StrictJSON.Malformed) {
        guard let byte = peek() else { throw error("a string does not end") }
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
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("half a surrogate pair") }
                let low = try hexadecimal()
                guard 0xdc00..<0xe000 ~= low else { throw error("half a surrogate pair") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
            text += Array(String(Character(scalar)).utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(StrictJSON.Malformed) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits are missing")
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
        guard offset > start else { throw error("a digit is missing") }
    }
}
