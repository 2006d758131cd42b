import DNSUpdate
import TestSupport
import Testing

/// Addresses are accepted only from the authoritative server.
@Suite(.timeLimit(.minutes(5))) struct AddressQueryTests {
    private let name: DNSName
    private let signed: AddressQuery
    private let plain: AddressQuery

    init() throws {
        name = try DNSName("node.example.org")
        signed = try AddressQuery(id: Vectors.id, name: name, type: .a, key: try Vectors.key(), now: Vectors.time)
        plain = try AddressQuery(id: Vectors.id, name: name, type: .a, key: nil, now: Vectors.time)
    }

    private func error(_ response: [UInt8], to query: AddressQuery? = nil) -> DNSUpdateError? {
        do throws(DNSUpdateError) {
            _ = try (query ?? signed).read(response, now: Vectors.time)
            return nil
        } catch {
            return error
        }
    }

    @Test func theQueryIsEncodedAsDNSPythonDoes() {
        #expect(signed.bytes == Vectors.query)
    }

    @Test func aSignedResponseIsAccepted() throws {
        let read = try signed.read(Vectors.addresses, now: Vectors.time)
        #expect(read == DNSUpdater.Addresses(addresses: [[192, 0, 2, 1], [192, 0, 2, 2]], ttl: 30))
    }

    @Test func everyTruncationAndEveryFlippedBitIsRejected() {
        for length in Vectors.addresses.indices {
            #expect(error(Array(Vectors.addresses[..<length])) == .malformedResponse(.truncated), "\(length) bytes")
        }
        for index in Vectors.addresses.indices {
            for bit in 0..<8 where bit != 5 {
                var flipped = Vectors.addresses
                flipped[index] ^= 1 << bit
                #expect(error(flipped) != nil, "byte \(index), bit \(bit)")
            }
        }
    }

    /// An unsigned response with these records in its answer section.
    private static func response(flags: UInt16 = 0x8400, _ records: [[UInt8]] = []) -> [UInt8] {
        [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff), 0, 0, 0, UInt8(records.count), 0, 0, 0, 0]
            + records.flatMap { $0 }
    }

    private static func record(
        _ name: String = "node.example.org", type: UInt8 = 1, ttl: UInt8 = 30, data: [UInt8] = [192, 0, 2, 1]
    ) throws -> [UInt8] {
        try DNSName(name).wire + [0, type, 0, 1, 0, 0, 0, ttl, 0, UInt8(data.count)] + data
    }

    @Test func withoutAKeyAnUnsignedResponseIsAccepted() throws {
        let records = [try Self.record(), try Self.record("NODE.example.org", ttl: 20, data: [192, 0, 2, 9])]
        let read = try plain.read(Self.response(records), now: 0)
        #expect(read == DNSUpdater.Addresses(addresses: [[192, 0, 2, 1], [192, 0, 2, 9]], ttl: 20))
        #expect(try plain.read(Self.response(), now: 0) == nil)
        #expect(try plain.read(Self.response(flags: 0x8403), now: 0) == nil)
    }

    @Test func responsesThatFailoverCannotUseAreRejected() throws {
        let alias = try Self.record(type: 5, data: try DNSName("elsewhere.example.org").wire)
        #expect(error(Self.response([alias]), to: plain) == .alias(name))
        #expect(error(Self.response([try Self.record("other.example.org")]), to: plain) == .alias(name))
        #expect(error(Self.response([try Self.record(data: [192, 0, 2])]), to: plain) == .alias(name))
        #expect(error(Self.response(flags: 0x8000, [try Self.record()]), to: plain) == .notAuthoritative(name))
        #expect(error(Self.response(flags: 0x8402), to: plain) == .refused(.serverFailure))
        #expect(error(Self.response(flags: 0xac00), to: plain) == .malformedResponse(.notAResponse))
    }

    /// Otherwise anybody on the network path could empty a name.
    @Test func anUnsignedNameErrorIsRejected() {
        #expect(error(Self.response(flags: 0x8403)) == .unsignedResponse)
        #expect(error(Self.response(flags: 0x8400)) == .unsignedResponse)
        #expect(error(Self.response(flags: 0x8405)) == .refused(.refused))
    }

    @Test func knotSignsItsResponses() async throws {
        let knot = try KnotServer()
        let updater = try knot.updater()
        let bytes: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 12)
        let second = try #require(DNSUpdater.Record(address: bytes))
        try await updater.perform([
            .add(name, ttl: 40, .a(0xc000_0207)), .add(name, ttl: 40, .a(0xc000_0208)), .add(name, ttl: 50, second),
        ])
        let present = try await updater.addresses(of: name, .a)
        let others = try await updater.addresses(of: name, .aaaa)
        let absent = try await updater.addresses(of: try DNSName("absent.example.org"), .aaaa)
        #expect(present == DNSUpdater.Addresses(addresses: [[192, 0, 2, 7], [192, 0, 2, 8]], ttl: 40))
        #expect(others == DNSUpdater.Addresses(addresses: [bytes], ttl: 50))
        #expect(absent == nil)
        let stranger = try knot.updater(key: "hmac-sha256:acme.key:\(KnotServer.otherSecret)")
        await #expect(throws: DNSUpdateError.tsigError(.badSignature)) { try await stranger.addresses(of: name, .a) }
    }
}
