import DNSUpdate
import Testing

/// What comes back is believed only when it is whole, ours, fresh, and signed.
@Suite struct UpdateAnswerTests {
    let request: UpdateRequest

    init() throws {
        request = try Vectors.request(Vectors.key())
    }

    func error(_ answer: [UInt8], now: Int64 = Vectors.time) -> DNSUpdateError? {
        do throws(DNSUpdateError) {
            try request.verify(answer, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func aSignedAnswerIsBelieved() throws {
        #expect(error(Vectors.answer256) == nil)
        try Vectors.request(Vectors.key(.hmacSHA512)).verify(Vectors.answer512, now: Vectors.time)
    }

    @Test func aSignedRefusalIsARefusal() {
        #expect(error(Vectors.refusal) == .refused(.refused))
        #expect(error(Vectors.badTime) == .keyRefused(.badTime))
    }

    @Test func everyTruncationIsRefused() {
        for whole in [Vectors.answer256, Vectors.refusal, Vectors.badTime] {
            for length in whole.indices {
                #expect(error(Array(whole[..<length])) == .malformedAnswer(.cutShort), "\(length) bytes")
            }
        }
    }

    @Test func everyFlippedBitIsRefused() {
        for index in Vectors.answer256.indices {
            for bit in 0..<8 {
                var flipped = Vectors.answer256
                flipped[index] ^= 1 << bit
                // Capitals are no difference to a name that is compared, and the canonical form has none.
                let isCase = bit == 5 && Self.isLetterOfAName(index)
                #expect((error(flipped) == nil) == isCase, "byte \(index), bit \(bit)")
            }
        }
    }

    /// In the key's name and the algorithm's, which the signature covers in lower case.
    private static func isLetterOfAName(_ index: Int) -> Bool {
        let isLetter = (0x61...0x7a).contains(Vectors.answer256[index])
        return isLetter && (29..<39).contains(index) || isLetter && (49..<62).contains(index)
    }

    @Test func everyInsertedByteIsRefused() {
        for index in 0...Vectors.answer256.count {
            for byte: UInt8 in [0, 1, 0x3f, 0xc0, 0xff] {
                var longer = Vectors.answer256
                longer.insert(byte, at: index)
                #expect(error(longer) != nil, "\(byte) at \(index)")
            }
        }
    }

    @Test func theClocksMayDifferByTheFudge() {
        #expect(error(Vectors.answer256, now: Vectors.time + 300) == nil)
        #expect(error(Vectors.answer256, now: Vectors.time - 300) == nil)
        #expect(error(Vectors.answer256, now: Vectors.time + 301) == .staleAnswer(seconds: -301))
        #expect(error(Vectors.answer256, now: Vectors.time - 301) == .staleAnswer(seconds: 301))
        for now in [Int64.min, -1, .max] {
            guard case .staleAnswer = error(Vectors.answer256, now: now) else {
                Issue.record("\(now)")
                continue
            }
        }
    }

    @Test func anAnswerToAnotherRequestIsRefused() throws {
        let later = try Vectors.request(Vectors.key(), time: Vectors.time + 1)
        #expect(throws: DNSUpdateError.forgedAnswer) { try later.verify(Vectors.answer256, now: Vectors.time) }
        var otherID = Vectors.answer256
        otherID[0] ^= 1
        #expect(error(otherID) == .otherAnswer)
    }

    @Test func anAnswerOfAnotherKeyIsRefused() throws {
        let other = try Vectors.request(Vectors.key(.hmacSHA512))
        #expect(throws: DNSUpdateError.otherKey) { try other.verify(Vectors.answer256, now: Vectors.time) }
    }

    @Test func withoutAKeyTheCodeDecides() throws {
        let request = try Vectors.request(nil)
        try request.verify(Self.plain(flags: 0xa800), now: 0)
        let refusal = Self.plain(flags: 0xa809)
        #expect(throws: DNSUpdateError.refused(.notAuthorised)) { try request.verify(refusal, now: 0) }
    }

    /// The header of an answer without signature and what follows it.
    static func plain(flags: UInt16, counts: [UInt8] = [0, 0, 0, 0], _ rest: [UInt8] = []) -> [UInt8] {
        [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff)] + counts.flatMap { [0, $0] } + rest
    }

    /// A TSIG record of `acme.key` that is not signed, as a server sends it that does not share the key.
    static func unsigned(error: UInt8) -> [UInt8] {
        var record = Array(Vectors.answer256[29...])
        record.removeSubrange((record.count - 38)..<(record.count - 6))
        record[record.count - 7] = 0
        record[record.count - 3] = error
        record[19] -= 32
        return record
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var answer: [UInt8]
        var expected: DNSUpdateError
    }

    private static let someRecord: [UInt8] = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]

    @Test(arguments: [
        Case(testDescription: "nothing", answer: [], expected: .malformedAnswer(.cutShort)),
        Case(testDescription: "a question", answer: plain(flags: 0x2800), expected: .malformedAnswer(.notAnAnswer)),
        Case(
            testDescription: "the answer to a query", answer: plain(flags: 0x8000),
            expected: .malformedAnswer(.notAnAnswer)),
        Case(
            testDescription: "marked as truncated", answer: plain(flags: 0xaa00),
            expected: .malformedAnswer(.cutByServer)),
        Case(testDescription: "not signed", answer: plain(flags: 0xa800), expected: .unsignedAnswer),
        Case(
            testDescription: "refused without signature", answer: plain(flags: 0xa805),
            expected: .refused(.refused)),
        Case(
            testDescription: "a code of no meaning", answer: plain(flags: 0xa80f), expected: .refused(.other(15))),
        Case(
            testDescription: "more than it says", answer: plain(flags: 0xa800, [0]),
            expected: .malformedAnswer(.trailingBytes)),
        Case(
            testDescription: "65535 records that are not there",
            answer: [0x12, 0x34, 0xa8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            expected: .malformedAnswer(.cutShort)),
        Case(
            testDescription: "the signature not in its section",
            answer: plain(flags: 0xa800, counts: [0, 1, 0, 0], Array(Vectors.answer256[29...])),
            expected: .malformedAnswer(.signatureRecord)),
        Case(
            testDescription: "the signature not at the end",
            answer: plain(flags: 0xa800, counts: [0, 0, 0, 2], Array(Vectors.answer256[29...]) + someRecord),
            expected: .malformedAnswer(.signatureRecord)),
        Case(
            testDescription: "a record that was never signed",
            answer: plain(flags: 0xa800, counts: [0, 0, 1, 1], someRecord + Array(Vectors.answer256[29...])),
            expected: .forgedAnswer),
        Case(
            testDescription: "a server without the key",
            answer: plain(flags: 0xa809, counts: [0, 0, 0, 1], unsigned(error: 17)),
            expected: .keyRefused(.unknownKey)),
        Case(
            testDescription: "a server with another secret",
            answer: plain(flags: 0xa809, counts: [0, 0, 0, 1], unsigned(error: 16)),
            expected: .keyRefused(.badSignature)),
        Case(
            testDescription: "success without a MAC",
            answer: plain(flags: 0xa800, counts: [0, 0, 0, 1], unsigned(error: 0)), expected: .forgedAnswer),
        Case(
            testDescription: "success that says bad key",
            answer: plain(flags: 0xa800, counts: [0, 0, 0, 1], unsigned(error: 17)), expected: .forgedAnswer),
    ])
    func whatProvesNothingIsRefused(_ example: Case) {
        #expect(error(example.answer) == example.expected)
    }

    /// A pointer to `offset`, as a name.
    static func pointer(to offset: Int) -> [UInt8] { [0xc0 | UInt8(offset >> 8), UInt8(offset & 0xff)] }

    /// SOA and IN.
    private static let zoneType: [UInt8] = [0, 6, 0, 1]

    struct NameCase: CustomTestStringConvertible {
        var testDescription: String
        /// Stand in the zone section, from offset 12; each name is followed by a type and a class.
        var names: [[UInt8]]
        var expected: AnswerFault?
    }

    private static func label(_ count: Int) -> [UInt8] { [UInt8(count)] + [UInt8](repeating: 0x61, count: count) }

    @Test(arguments: [
        NameCase(testDescription: "a pointer back", names: [[1, 0x61, 0], pointer(to: 12)], expected: nil),
        NameCase(
            testDescription: "a pointer to a pointer", names: [[1, 0x61, 0], pointer(to: 12), pointer(to: 19)],
            expected: nil),
        NameCase(testDescription: "a pointer to itself", names: [pointer(to: 12)], expected: .name),
        NameCase(testDescription: "a pointer ahead", names: [pointer(to: 14), [0]], expected: .name),
        NameCase(
            testDescription: "two pointers in a circle", names: [pointer(to: 18), pointer(to: 12)], expected: .name),
        NameCase(
            testDescription: "a label and a pointer back to it", names: [[1, 0x61] + pointer(to: 12)],
            expected: .name),
        NameCase(
            testDescription: "a pointer into its own label", names: [[2, 0xc0, 12] + pointer(to: 13)],
            expected: .name),
        NameCase(testDescription: "a pointer outside", names: [pointer(to: 0x3fff)], expected: .name),
        NameCase(testDescription: "a pointer into the header", names: [pointer(to: 2)], expected: .name),
        NameCase(testDescription: "a label of type 01", names: [[0x40, 0]], expected: .name),
        NameCase(testDescription: "a label of type 10", names: [[0x80, 0]], expected: .name),
        NameCase(
            testDescription: "255 bytes", names: [label(63) + label(63) + label(63) + label(61) + [0]], expected: nil),
        NameCase(
            testDescription: "256 bytes", names: [label(63) + label(63) + label(63) + label(62) + [0]],
            expected: .name),
        NameCase(
            testDescription: "257 bytes by a pointer",
            names: [label(63) + label(63) + [0], label(63) + label(63) + pointer(to: 12)], expected: .name),
    ])
    func namesEnd(_ example: NameCase) throws {
        let names = example.names.flatMap { $0 + Self.zoneType }
        let answer = Self.plain(flags: 0xa800, counts: [UInt8(example.names.count), 0, 0, 0], names)
        let expected = example.expected.map { DNSUpdateError.malformedAnswer($0) } ?? .unsignedAnswer
        #expect(error(answer) == expected)
    }

    @Test func aLongChainOfPointersIsRefused() {
        // The root, and names that each point to the one before.
        for (count, expected) in [(128, DNSUpdateError.unsignedAnswer), (129, .malformedAnswer(.name))] {
            let chain = (1..<count).flatMap { Self.pointer(to: $0 == 1 ? 12 : 5 + 6 * $0) + Self.zoneType }
            let answer = Self.plain(flags: 0xa800, counts: [UInt8(count), 0, 0, 0], [0] + Self.zoneType + chain)
            #expect(error(answer) == expected, "\(count)")
        }
    }

    @Test func arbitraryBytesNeverCrash() {
        var generator = Generator(state: 1)
        for _ in 0..<20_000 {
            var bytes = Vectors.answer256
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 2..<bytes.count, using: &generator)
                let byte = UInt8.random(in: 0...255, using: &generator)
                bytes[index] = [0, 0xc0, 0xff, byte].randomElement(using: &generator) ?? byte
            }
            _ = error(bytes)
        }
    }
}

/// The same numbers in every run (Knuth's constants).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
