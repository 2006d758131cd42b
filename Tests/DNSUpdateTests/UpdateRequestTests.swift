import DNSUpdate
import Testing

/// The encoded requests, byte by byte.
@Suite struct UpdateRequestTests {
    @Test func anUnsignedRequestEqualsDNSPythons() throws {
        #expect(try Vectors.request(nil).bytes == Vectors.unsignedRequest)
    }

    @Test func aSignedRequestEqualsDNSPythons() throws {
        #expect(try Vectors.request(Vectors.key()).bytes == Vectors.request256)
        #expect(try Vectors.request(Vectors.key(.hmacSHA512)).bytes == Vectors.request512)
    }

    @Test func aNameOfAnotherZoneIsNotSent() throws {
        let (zone, name) = (try DNSName("example.org"), try DNSName("node.example.net"))
        #expect(throws: DNSUpdateError.outsideZone(name, zone: zone)) {
            _ = try UpdateRequest(id: 1, zone: zone, changes: [.removeSet(name, .a)], key: nil, now: 0)
        }
    }

    @Test func aTooLargeUpdateIsNotSent() throws {
        let zone = try DNSName("example.org")
        let text = String(repeating: "a", count: 70_000)
        for changes in [
            [DNSUpdater.Change.add(zone, ttl: 1, .txt(text))],
            Array(repeating: .removeSet(zone, .a), count: 65_536),
            Array(repeating: .removeSet(zone, .a), count: 4000),
        ] {
            #expect(throws: DNSUpdateError.tooLarge) {
                _ = try UpdateRequest(id: 1, zone: zone, changes: changes, key: try Vectors.key(), now: 0)
            }
        }
    }

    @Test func textIsSplitEvery255Bytes() throws {
        let zone = try DNSName("a")
        for (length, strings) in [(0, [0]), (1, [1]), (255, [255]), (256, [255, 1]), (511, [255, 255, 1])] {
            let text = String(repeating: "x", count: length)
            let request = try UpdateRequest(id: 1, zone: zone, changes: [.remove(zone, .txt(text))], key: nil, now: 0)
            let data = strings.flatMap { [UInt8($0)] + [UInt8](repeating: 0x78, count: $0) }
            #expect(Array(request.bytes.suffix(data.count)) == data, "\(length)")
            // The header, the zone, and the record without its data.
            #expect(request.bytes.count == 12 + 7 + 13 + data.count, "\(length)")
        }
    }

    @Test func aClockOutOfRangeStillMakesARequest() throws {
        for time in [Int64.min, -1, 0, 1 << 48, .max] {
            let request = try Vectors.request(Vectors.key(), time: time)
            #expect(request.bytes.count == Vectors.request256.count)
        }
    }

    @Test func theLengthOfAnAddressDecidesItsRecordType() {
        #expect(DNSUpdater.Record(address: [192, 0, 2, 1]) == .a(0xc000_0201))
        let long = [0x20, 1] + [UInt8](repeating: 0, count: 13) + [1]
        #expect(DNSUpdater.Record(address: long) == .aaaa(0x2001 << 112 | 1))
        #expect(DNSUpdater.Record(address: [1, 2, 3]) == nil)
    }
}
