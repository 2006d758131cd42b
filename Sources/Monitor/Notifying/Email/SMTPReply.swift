/// An SMTP reply: a code and one or more lines (RFC 5321 section 4.2).
package struct SMTPReply: Equatable, Sendable {
    package let code: Int
    /// Without code and line end.
    package let lines: [String]

    package enum Fault: Error, Equatable, Sendable {
        case notAReply
        case codesDiffer
        case tooLong
    }

    /// Maximum bytes of a reply. RFC 5321 allows 512 for a line, and EHLO has some dozen lines.
    static let limit = 16_384

    package init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// Removes the first complete reply from the received bytes.
    ///
    /// - Returns: Nil when it is not complete; `received` is unchanged then.
    package static func take(from received: inout [UInt8]) throws(Fault) -> SMTPReply? {
        var lines: [String] = []
        var code: Int?
        var start = received.startIndex
        while let end = received[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard end < limit else { throw .tooLong }
            var line = received[start..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            start = end + 1
            let digits = line.prefix(3)
            guard digits.count == 3, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Int(String(decoding: digits, as: UTF8.self)), (200...599).contains(number)
            else { throw .notAReply }
            guard code == nil || code == number else { throw .codesDiffer }
            code = number
            let rest = line.dropFirst(3)
            lines.append(String(decoding: rest.dropFirst(), as: UTF8.self))
            switch rest.first {
            case UInt8(ascii: "-"): continue
            case UInt8(ascii: " "), nil:
                received.removeSubrange(..<start)
                return SMTPReply(code: number, lines: lines)
            default: throw .notAReply
            }
        }
        guard received.count < limit else { throw .tooLong }
        return nil
    }
}
