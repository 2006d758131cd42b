import DNSUpdate
import Testing

/// A response is accepted only if it is complete, matches the request, and is fresh and signed.
@Suite struct UpdateResponseTests {
    let request: UpdateRequest

    init() throws {
        request = try Vectors.request(Vectors.key())
    }

    func error(_ response: [UInt8], now: Int64 = Vectors.time) -> DNSUpdateError? {
        do throws(DNSUpdateError) {
            try request.verify(response, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func aSignedResponseIsAccepted() throws {
        #expect(error(Vectors.answer256) == nil)
        try Vectors.request(Vectors.key(.hmacSHA512)).verify(Vectors.answer512, now: Vectors.time)
    }

    @Test func aSignedRefusalIsReported() {
        #expect(error(Vectors.refusal) == .refused(.refused))
        #expect(error(Vectors.badTime) == .tsigError(.badTime))
    }

    @Test func everyTruncationIsRejected() {
        for whole in [Vectors.answer256, Vectors.refusal, Vectors.badTime] {
            for length in whole.indices {
                #expect(error(Array(whole[..<length])) == .malformedResponse(.truncated), "\(length) bytes")
            }
        }
    }

    @Test func everyFlippedBitIsRejected() {
        for index in Vectors.answer256.indices {
            for bit in 0..<8 {
                var flipped = Vectors.answer256
                flipped[index] ^= 1 << bit
                // Names compare case-insensitively, and the canonical form is in lower case.
                let isCase = bit == 5 && Self.isLetterOfAName(index)
                #expect((error(flipped) == nil) == isCase, "byte \(index), bit \(bit)")
            }
        }
    }

    /// Whether the byte is a letter of the key's or the algorithm's name, which the signature covers in lower case.
    private static func isLetterOfAName(_ index: Int) -> Bool {
        let isLetter = (0x61...0x7a).contains(Vectors.answer256[index])
        return isLetter && (29..<39).contains(index) || isLetter && (49..<62).contains(index)
    }

    @Test func everyInsertedByteIsRejected() {
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
        #expect(error(Vectors.answer256, now: Vectors.time + 301) == .clockSkew(seconds: -301))
        #expect(error(Vectors.answer256, now: Vectors.time - 301) == .clockSkew(seconds: 301))
        for now in [Int64.min, -1, .max] {
            guard case .clockSkew = error(Vectors.answer256, now: now) else {
                Issue.record("\(now)")
                continue
            }
        }
    }

    @Test func aResponseToAnotherRequestIsRejected() throws {
        let later = try Vectors.request(Vectors.key(), time: Vectors.time + 1)
        #expect(throws: DNSUpdateError.badSignature) { try later.verify(Vectors.answer256, now: Vectors.time) }
        var otherID = Vectors.answer256
        otherID[0] ^= 1
        #expect(error(otherID) == .idMismatch)
    }

    @Test func aResponseWithAnotherKeyIsRejected() throws {
        let other = try Vectors.request(Vectors.key(.hmacSHA512))
        #expect(throws: DNSUpdateError.keyMismatch) { try other.verify(Vectors.answer256, now: Vectors.time) }
    }

    @Test func withoutAKeyTheCodeDecides() throws {
        let request = try Vectors.request(nil)
        try request.verify(Self.plain(flags: 0xa800), now: 0)
        let refusal = Self.plain(flags: 0xa809)
        #expect(throws: DNSUpdateError.refused(.notAuthorised)) { try request.verify(refusal, now: 0) }
    }

    /// An unsigned response with this header and rest.
    static func plain(flags: UInt16, counts: [UInt8] = [0, 0, 0, 0], _ rest: [UInt8] = []) -> [UInt8] {
        [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff)] + counts.flatMap { [0, $0] } + rest
    }

    /// A TSIG record of `acme.key` without MAC, as a server without the key sends it.
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
        var response: [UInt8]
        var expected: DNSUpdateError
    }

    private static let someRecord: [UInt8] = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]

    @Test(arguments: [
        Case(testDescription: "empty", response: [], expected: .malformedResponse(.truncated)),
        Case(testDescription: "a request", response: plain(flags: 0x2800), expected: .malformedResponse(.notAResponse)),
        Case(
            testDescription: "a response to a query", response: plain(flags: 0x8000),
            expected: .malformedResponse(.notAResponse)),
        Case(
            testDescription: "marked as truncated", response: plain(flags: 0xaa00),
            expected: .malformedResponse(.truncationFlag)),
        Case(testDescription: "not signed", response: plain(flags: 0xa800), expected: .unsignedResponse),
        Case(
            testDescription: "refused without signature", response: plain(flags: 0xa805),
            expected: .refused(.refused)),
        Case(
            testDescription: "an unassigned code", response: plain(flags: 0xa80f), expected: .refused(.other(15))),
        Case(
            testDescription: "trailing bytes", response: plain(flags: 0xa800, [0]),
            expected: .malformedResponse(.trailingBytes)),
        Case(
            testDescription: "65535 missing records",
            response: [0x12, 0x34, 0xa8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            expected: .malformedResponse(.truncated)),
        Case(
            testDescription: "the signature in another section",
            response: plain(flags: 0xa800, counts: [0, 1, 0, 0], Array(Vectors.answer256[29...])),
            expected: .malformedResponse(.signatureRecord)),
        Case(
            testDescription: "the signature before another record",
            response: plain(flags: 0xa800, counts: [0, 0, 0, 2], Array(Vectors.answer256[29...]) + someRecord),
            expected: .malformedResponse(.signatureRecord)),
        Case(
            testDescription: "an appended unsigned record",
            response: plain(flags: 0xa800, counts: [0, 0, 1, 1], someRecord + Array(Vectors.answer256[29...])),
            expected: .badSignature),
        Case(
            testDescription: "a server without the key",
            response: plain(flags: 0xa809, counts: [0, 0, 0, 1], unsigned(error: 17)),
            expected: .tsigError(.unknownKey)),
        Case(
            testDescription: "a server with another secret",
            response: plain(flags: 0xa809, counts: [0, 0, 0, 1], unsigned(error: 16)),
            expected: .tsigError(.badSignature)),
        Case(
            testDescription: "success without a MAC",
            response: plain(flags: 0xa800, counts: [0, 0, 0, 1], unsigned(error: 0)), expected: .badSignature),
        Case(
            testDescription: "success with BADKEY",
            response: plain(flags: 0xa800, counts: [0, 0, 0, 1], unsigned(error: 17)), expected: .badSignature),
    ])
    func untrustworthyResponsesAreRejected(_ example: Case) {
        #expect(error(example.response) == example.expected)
    }

    /// A compression pointer to `offset`, as a name.
    static func pointer(to offset: Int) -> [UInt8] { [0xc0 | UInt8(offset >> 8), UInt8(offset & 0xff)] }

    /// The type SOA and the class IN.
    private static let zoneType: [UInt8] = [0, 6, 0, 1]

    struct NameCase: CustomTestStringConvertible {
        var testDescription: String
        /// Names in the zone section, from offset 12; each is followed by a type and a class.
        var names: [[UInt8]]
        var expected: DNSResponseError?
    }

    private static func label(_ count: Int) -> [UInt8] { [UInt8(count)] + [UInt8](repeating: 0x61, count: count) }

    @Test(arguments: [
        NameCase(testDescription: "a pointer back", names: [[1, 0x61, 0], pointer(to: 12)], expected: nil),
        NameCase(
            testDescription: "a pointer to a pointer", names: [[1, 0x61, 0], pointer(to: 12), pointer(to: 19)],
            expected: nil),
        NameCase(testDescription: "a pointer to itself", names: [pointer(to: 12)], expected: .name),
        NameCase(testDescription: "a pointer forward", names: [pointer(to: 14), [0]], expected: .name),
        NameCase(
            testDescription: "two pointers in a loop", names: [pointer(to: 18), pointer(to: 12)], expected: .name),
        NameCase(
            testDescription: "a label and a pointer back to it", names: [[1, 0x61] + pointer(to: 12)],
            expected: .name),
        NameCase(
            testDescription: "a pointer into its own label", names: [[2, 0xc0, 12] + pointer(to: 13)],
            expected: .name),
        NameCase(testDescription: "a pointer out of bounds", names: [pointer(to: 0x3fff)], expected: .name),
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
    func compressedNamesAreParsed(_ example: NameCase) throws {
        let names = example.names.flatMap { $0 + Self.zoneType }
        let response = Self.plain(flags: 0xa800, counts: [UInt8(example.names.count), 0, 0, 0], names)
        let expected = example.expected.map { DNSUpdateError.malformedResponse($0) } ?? .unsignedResponse
        #expect(error(response) == expected)
    }

    @Test func aLongChainOfPointersIsRejected() {
        // The root, and names that each point to the previous one.
        for (count, expected) in [(128, DNSUpdateError.unsignedResponse), (129, .malformedResponse(.name))] {
            let chain = (1..<count).flatMap { Self.pointer(to: $0 == 1 ? 12 : 5 + 6 * $0) + Self.zoneType }
            let response = Self.plain(flags: 0xa800, counts: [UInt8(count), 0, 0, 0], [0] + Self.zoneType + chain)
            #expect(error(response) == expected, "\(count)")
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

/// A deterministic generator (Knuth's constants).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
