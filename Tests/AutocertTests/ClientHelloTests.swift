import Autocert
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(15))) struct ClientHelloTests {
    struct Recording: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let name: String?
        let protocols: [String]

        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let recordings = [
        Recording(arguments: ["-noservername"], name: nil, protocols: []),
        Recording(arguments: ["-servername", "Node.Example"], name: "node.example", protocols: []),
        Recording(
            arguments: ["-servername", "a.example", "-alpn", "acme-tls/1"], name: "a.example",
            protocols: ["acme-tls/1"]),
        Recording(arguments: ["-noservername", "-alpn", "h2,http/1.1"], name: nil, protocols: ["h2", "http/1.1"]),
        Recording(arguments: ["-servername", "a.example", "-tls1_2"], name: "a.example", protocols: []),
    ]

    private func read(_ bytes: [UInt8]) throws(ClientHello.ParseError) -> ClientHello? {
        var reader = ClientHelloReader()
        return try reader.append(ByteBuffer(bytes: bytes))
    }

    @Test(arguments: recordings) func openSSLsHellosAreParsed(_ recording: Recording) async throws {
        let hello = try await read(RecordedHello.openSSL(recording.arguments))
        #expect(hello?.serverName == recording.name)
        #expect(hello?.protocols == recording.protocols)
    }

    @Test func aHelloWithAPostQuantumKeyShareIsParsed() async throws {
        let bytes = try await RecordedHello.boringSSL()
        #expect(bytes.count > 1200)
        let hello = try read(bytes)
        #expect(hello?.serverName == "node.example")
    }

    @Test(arguments: recordings) func everyTruncationIsIncomplete(_ recording: Recording) async throws {
        let bytes = try await RecordedHello.openSSL(recording.arguments)
        for count in 0..<bytes.count {
            let hello = try read(Array(bytes[..<count]))
            #expect(hello == nil, "\(count) bytes")
        }
    }

    @Test(arguments: recordings) func everyCorruptedHelloHasADefinedOutcome(_ recording: Recording) async throws {
        let bytes = try await RecordedHello.openSSL(recording.arguments)
        var outcomes: Set<String> = []
        for index in bytes.indices {
            for mask: UInt8 in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                var damaged = bytes
                damaged[index] ^= mask
                do throws(ClientHello.ParseError) {
                    outcomes.insert(try read(damaged) == nil ? "incomplete" : "hello")
                } catch {
                    outcomes.insert("\(error)")
                }
            }
        }
        #expect(outcomes.count == 4)
    }

    /// The lengths of record and message are correct; only the content is truncated.
    @Test(arguments: recordings) func aTruncatedMessageIsMalformed(_ recording: Recording) async throws {
        let message = try await RecordedHello.openSSL(recording.arguments).dropFirst(5 + 4)
        for count in 0..<message.count {
            let short = [1, 0] + MadeHello.prefixed(Array(message.prefix(count)))
            // A TLS 1.2 hello may end after the compression methods.
            let session = Int(message[message.startIndex + 34])
            let suites = 35 + session
            let suitesLength =
                Int(message[message.startIndex + suites]) << 8 | Int(message[message.startIndex + suites + 1])
            let compression = suites + 2 + suitesLength
            if count == compression + 1 + Int(message[message.startIndex + compression]) { continue }
            #expect(throws: ClientHello.ParseError.malformed, "\(count) bytes") { try read(MadeHello.records(short)) }
        }
    }

    @Test(arguments: [1, 3, 7, 100]) func aHelloMayBeSplitOverRecords(_ size: Int) throws {
        let message = MadeHello.message(
            extensions: MadeHello.serverName("A.example") + MadeHello.protocols(["acme-tls/1"])
                + MadeHello.extension(51, [UInt8](repeating: 9, count: 1300)))
        let whole = try read(MadeHello.records(message))
        #expect(whole?.serverName == "a.example")
        let split = MadeHello.records(message, each: size)
        let again = try read(split)
        #expect(again == whole)
        var reader = ClientHelloReader()
        for (index, byte) in split.enumerated() {
            let hello = try reader.append(ByteBuffer(bytes: [byte]))
            #expect(hello == (index == split.count - 1 ? whole : nil))
        }
        #expect(Array(buffer: reader.received) == split)
    }

    @Test func aHelloWithoutExtensionsHasNoNameAndNoProtocols() throws {
        let hello = try read(MadeHello.records(MadeHello.message(extensions: nil)))
        #expect(hello != nil && hello?.serverName == nil && hello?.protocols == [])
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let error: ClientHello.ParseError

        init(_ testDescription: String, _ bytes: [UInt8], _ error: ClientHello.ParseError = .malformed) {
            self.testDescription = testDescription
            self.bytes = bytes
            self.error = error
        }

        init(_ testDescription: String, extensions: [UInt8]) {
            self.init(testDescription, MadeHello.records(MadeHello.message(extensions: extensions)))
        }
    }

    static let refusals = [
        Refusal("HTTP", Array("GET / HTTP/1.1\r\n".utf8), .notTLS),
        Refusal("SSL 2", [0x80, 0x2E, 1, 3, 1], .notTLS),
        Refusal("record of version 2", [22, 2], .notTLS),
        Refusal("empty record", [22, 3, 1, 0, 0]),
        Refusal("record too long", [22, 3, 1, 0x40, 0x01]),
        Refusal("other record in between", [22, 3, 1, 0, 1, 1, 21]),
        Refusal("other message", MadeHello.records([2, 0, 0, 0])),
        Refusal("message too long", MadeHello.records([1, 1, 0, 1])),
        Refusal(
            "bytes after the extensions",
            MadeHello.records(
                [1, 0]
                    + MadeHello.prefixed(
                        Array(MadeHello.message(extensions: []).dropFirst(4)) + [0]))),
        Refusal("extension twice", extensions: MadeHello.serverName("a.example") + MadeHello.serverName("b.example")),
        Refusal("empty name", extensions: MadeHello.serverName("")),
        Refusal("name too long", extensions: MadeHello.serverName(String(repeating: "a", count: 256))),
        Refusal("name with a zero", extensions: MadeHello.serverName("a\0.example")),
        Refusal("name that is not ASCII", extensions: MadeHello.serverName("ä.example")),
        Refusal("two names", extensions: MadeHello.extension(0, MadeHello.prefixed([0, 0, 1, 97, 0, 0, 1, 98]))),
        Refusal("name of another type", extensions: MadeHello.extension(0, MadeHello.prefixed([1, 0, 1, 97]))),
        Refusal("no protocol", extensions: MadeHello.protocols([])),
        Refusal("empty protocol", extensions: MadeHello.protocols(["h2", ""])),
    ]

    @Test(arguments: refusals) func anInvalidHelloIsRejected(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try read(refusal.bytes) }
    }

    @Test func anEndlessHelloIsRejectedAtTheLimit() throws {
        var reader = ClientHelloReader()
        let record = ByteBuffer(bytes: MadeHello.records([0]))
        let first = try reader.append(ByteBuffer(bytes: [22, 3, 1, 0, 4, 1, 0, 0xFF, 0xFF]))
        #expect(first == nil)
        var taken = 0
        do throws(ClientHello.ParseError) {
            while taken < 20_000, try reader.append(record) == nil { taken += 1 }
        } catch {
            #expect(error == .malformed)
        }
        #expect(taken * record.readableBytes <= ClientHelloReader.limit)
    }
}
