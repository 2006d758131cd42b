/// What a person types or pastes at a hidden prompt, byte by byte, on a terminal that edits nothing itself.
struct TypedText {
    enum Step: Equatable {
        /// More is to come.
        case more
        /// Enter was pressed outside a marked paste: the end, unless more is waiting already, which only a paste does.
        case enter
        case end
        /// A key that a terminal turns into a signal: ctrl-C, ctrl-\, ctrl-Z.
        case interrupt, quit, suspend
        /// Longer than anything that may be typed.
        case tooLong
    }

    static let most = 1 << 20

    private(set) var bytes: [UInt8] = []
    private var state = State.text
    private var isPasting = false
    /// The terminal marks what is pasted: Enter outside is a person's.
    private(set) var hasMarks = false
    private var sequence: [UInt8] = []
    private var lastWasReturn = false

    private enum State { case text, escape, sequence }

    /// The terminal's words around a paste (bracketed paste, as xterm has it).
    private static let pasteBegins = Array("200~".utf8)
    private static let pasteEnds = Array("201~".utf8)

    mutating func take(_ byte: UInt8) -> Step {
        switch state {
        case .escape:
            state = byte == UInt8(ascii: "[") ? .sequence : .text
            if state == .text, isPasting { return add([0x1b, byte]) }
            sequence = []
            return .more
        case .sequence:
            sequence.append(byte)
            return sequenceGoesOn(byte)
        case .text:
            if byte == 0x1b {
                state = .escape
                return .more
            }
            return isPasting ? pasted(byte) : typed(byte)
        }
    }

    /// An end of a line inside the text, where what looked like Enter was part of a paste without marks.
    mutating func goOnAfterEnter() -> Step { add([UInt8(ascii: "\n")]) }

    private mutating func sequenceGoesOn(_ byte: UInt8) -> Step {
        // The last byte of a control sequence: ECMA-48 §5.4.
        guard (0x40...0x7e).contains(byte) || sequence.count > 32 else { return .more }
        state = .text
        if sequence == Self.pasteEnds {
            isPasting = false
        } else if sequence == Self.pasteBegins, !isPasting {
            isPasting = true
            hasMarks = true
        } else if isPasting {
            return add([0x1b, UInt8(ascii: "[")] + sequence)
        }
        // Outside a paste an arrow or the like, which edits nothing here.
        return .more
    }

    /// Terminals send the end of a pasted line as CR.
    private mutating func pasted(_ byte: UInt8) -> Step {
        defer { lastWasReturn = byte == 13 }
        if byte == 10, lastWasReturn { return .more }
        return add([byte == 13 ? 10 : byte])
    }

    private mutating func typed(_ byte: UInt8) -> Step {
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
            // The last word, with the blanks behind it.
            bytes = Array(bytes.reversed().drop { $0 == 32 }.drop { $0 != 32 }.reversed())
        default: return add([byte])
        }
        return .more
    }

    private mutating func add(_ more: [UInt8]) -> Step {
        guard bytes.count + more.count <= Self.most else { return .tooLong }
        bytes += more
        return .more
    }

    /// One scalar of UTF-8.
    private mutating func removeLast() {
        while let byte = bytes.popLast(), byte & 0b1100_0000 == 0b1000_0000 {}
    }
}
