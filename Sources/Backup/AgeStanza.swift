import Encoding

/// A recipient stanza in a header: type, arguments and body (specification, "Recipient stanza").
struct AgeStanza {
    /// Its first line in the parsed file, for errors.
    var line = 0
    /// At least one; the first is the type. Each is one or more printable ASCII characters.
    var arguments: [String]
    var body: [UInt8]

    static let columns = 64

    var type: String { arguments.first ?? "" }

    /// The encoded lines. The body ends with a line shorter than 64 columns, which may be empty.
    var serialized: [UInt8] {
        var text = [UInt8]("-> \(arguments.joined(separator: " "))\n".utf8)
        var rest = Base64.encodeUnpadded(body)[...]
        while rest.count >= Self.columns {
            text += rest.prefix(Self.columns)
            text.append(UInt8(ascii: "\n"))
            rest = rest.dropFirst(Self.columns)
        }
        text += rest
        text.append(UInt8(ascii: "\n"))
        return text
    }

    /// Parses a stanza whose first line was already read from `lines`.
    ///
    /// - Parameters:
    ///   - first: That line, without its line feed. It begins with `->`.
    ///   - lines: Positioned after that line, and afterwards after the stanza.
    /// - Throws: `malformedHeader` with the line number, and errors of `HeaderLines.next`.
    init(first: ArraySlice<UInt8>, rest lines: inout HeaderLines) throws(AgeError) {
        guard first.starts(with: Array("-> ".utf8)) else { throw .malformedHeader(line: lines.number, .argument) }
        let words = first.dropFirst(3).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x21...0x7e).contains($0) } }) else {
            throw .malformedHeader(line: lines.number, .argument)
        }
        line = lines.number
        arguments = words.map { String(decoding: $0, as: UTF8.self) }

        var text: [UInt8] = []
        var next: ArraySlice<UInt8>
        repeat {
            next = try lines.next()
            guard next.count <= Self.columns else { throw .malformedHeader(line: lines.number, .body) }
            text += next
        } while next.count == Self.columns
        guard let body = Base64.decodeUnpadded(text[...]) else { throw .malformedHeader(line: lines.number, .body) }
        self.body = body
    }

    init(arguments: [String], body: [UInt8]) {
        self.arguments = arguments
        self.body = body
    }
}

/// Reads the beginning of a file line by line, up to `AgeHeader.maximumByteCount`.
struct HeaderLines {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    /// The number of the last read line, counted from 1.
    private(set) var number = 0

    /// - Parameter bytes: The beginning of the file, at least up to the limit if it is longer.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes.prefix(AgeHeader.maximumByteCount)
        position = self.bytes.startIndex
    }

    /// The next line without its line feed.
    ///
    /// - Throws: `headerTooLarge` at the limit, `truncated` if the file ends within a line.
    mutating func next() throws(AgeError) -> ArraySlice<UInt8> {
        number += 1
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw bytes.count == AgeHeader.maximumByteCount ? .headerTooLarge : .truncated
        }
        defer { position = end + 1 }
        return bytes[position..<end]
    }
}
