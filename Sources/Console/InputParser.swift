/// Parses typed or pasted bytes from a terminal without line editing, and does the line editing itself.
struct InputParser {
    enum Event: Equatable {
        /// The input continues.
        case more
        /// Enter was pressed outside a bracketed paste. It ends the input unless more bytes are readable, as in a paste.
        case enter
        case end
        /// A key that a terminal turns into a signal: ctrl-C, ctrl-\, ctrl-Z.
        case interrupt, quit, suspend
        /// The input exceeds `maximumBytes`.
        case tooLong
    }

    static let maximumBytes = 1 << 20

    private(set) var bytes: [UInt8] = []
    private var state = State.text
    private var isPasting = false
    /// Whether the terminal has sent a bracketed paste: it marks pastes, so Enter outside of one was typed.
    private(set) var hasBracketedPaste = false
    private var sequence: [UInt8] = []
    private var lastWasReturn = false

    private enum State { case text, escape, sequence }

    /// The control sequences around a bracketed paste (as in xterm).
    private static let pasteBegins = Array("200~".utf8)
    private static let pasteEnds = Array("201~".utf8)

    mutating func append(_ byte: UInt8) -> Event {
        switch state {
        case .escape:
            state = byte == UInt8(ascii: "[") ? .sequence : .text
            if state == .text, isPasting { return add([0x1b, byte]) }
            sequence = []
            return .more
        case .sequence:
            sequence.append(byte)
            return continueSequence(byte)
        case .text:
            if byte == 0x1b {
                state = .escape
                return .more
            }
            return isPasting ? pasted(byte) : typed(byte)
        }
    }

    /// Appends a line feed in place of an Enter that was part of a paste without brackets.
    mutating func appendLineFeed() -> Event { add([UInt8(ascii: "\n")]) }

    private mutating func continueSequence(_ byte: UInt8) -> Event {
        // The final byte of a control sequence: ECMA-48 §5.4.
        guard (0x40...0x7e).contains(byte) || sequence.count > 32 else { return .more }
        state = .text
        if sequence == Self.pasteEnds {
            isPasting = false
        } else if sequence == Self.pasteBegins, !isPasting {
            isPasting = true
            hasBracketedPaste = true
        } else if isPasting {
            return add([0x1b, UInt8(ascii: "[")] + sequence)
        }
        // Outside a paste the sequence is a key such as an arrow, which is ignored.
        return .more
    }

    /// Handles a byte of a paste. Terminals send the end of a pasted line as CR.
    private mutating func pasted(_ byte: UInt8) -> Event {
        defer { lastWasReturn = byte == 13 }
        if byte == 10, lastWasReturn { return .more }
        return add([byte == 13 ? 10 : byte])
    }

    private mutating func typed(_ byte: UInt8) -> Event {
        defer { lastWasReturn = byte == 13 }
        switch byte {
        case 10 where lastWasReturn: return .more
        case 10, 13: return .enter
        case 3: return .interrupt
        case 28: return .quit
        case 26: return .suspend
        case 4: return .end
        case 8, 127: removeLast()
        case 21: bytes = []
        case 23:
            // ctrl-W deletes the last word and the spaces after it.
            bytes = Array(bytes.reversed().drop { $0 == 32 }.drop { $0 != 32 }.reversed())
        default: return add([byte])
        }
        return .more
    }

    private mutating func add(_ more: [UInt8]) -> Event {
        guard bytes.count + more.count <= Self.maximumBytes else { return .tooLong }
        bytes += more
        return .more
    }

    /// Removes the last UTF-8 scalar.
    private mutating func removeLast() {
        while let byte = bytes.popLast(), byte & 0b1100_0000 == 0b1000_0000 {}
    }
}
