import DNSUpdate
import Fleet
import Foundation
import NIOCore
import TestSupport
import Testing

/// Updates a zone of Debian's `knotd` and reads it with `kdig`.
@Suite(.timeLimit(.minutes(5))) struct UpdatedZoneTests {
    let knot: KnotServer
    let zone: UpdatedZone

    init() throws {
        knot = try KnotServer()
        zone = UpdatedZone(try knot.updater())
    }

    @Test func anAppliedPlanLeavesNoChanges() async throws {
        let wanted = try Records(try sampleFleet(3))
        let names = wanted.sets.keys.sorted()
        let empty = try await zone.present(names)
        try await zone.apply(NamePlan(wanted: wanted, present: empty).changes)
        let present = try await zone.present(names)
        #expect(empty.isEmpty)
        #expect(present == wanted.sets)
        #expect(NamePlan(wanted: wanted, present: present).isEmpty)
        #expect(try knot.lookUp("api.example.org", "A") == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    }

    @Test func aWithdrawnNodeIsRemovedAndOthersStay() async throws {
        let whole = try Records(try sampleFleet(3))
        try await zone.apply(NamePlan(wanted: whole, present: [:]).changes)
        let wanted = try Records(try sampleFleet(3), withdrawn: ["n2"])
        let plan = NamePlan(wanted: wanted, present: try await zone.present(wanted.sets.keys.sorted()))
        try await zone.apply(plan.changes)
        #expect(plan.lines == ["- api.example.org 30 A 192.0.2.2  (n2)"])
        #expect(try knot.lookUp("api.example.org", "A") == ["192.0.2.1", "192.0.2.3"])
        #expect(try knot.lookUp("n2.example.org", "A") == ["192.0.2.2"])
    }

    @Test func recordsAddedMeanwhileAreRemovedByAnApply() async throws {
        let wanted = try Records(try sampleFleet(2))
        try await knot.updater().perform([.add(try DNSName("api.example.org"), ttl: 300, .a(0xcb00_7101))])
        // The plan does not contain the new record.
        try await zone.apply(NamePlan(wanted: wanted, present: [:]).changes)
        let present = try await zone.present(["api.example.org"])
        #expect(present["api.example.org"] == RecordSet(addresses: addresses(1, 2), ttl: 30))
    }

    @Test func bothFamiliesArePublished() async throws {
        let wanted = try Records(
            try sampleFleet(3) {
                $0[1].ipv6 = "2001:db8::2"
                $0[2].ipv6 = "2001:db8::3"
            }, withdrawn: ["n3"])
        try await zone.apply(NamePlan(wanted: wanted, present: [:]).changes)
        #expect(try await zone.present(wanted.sets.keys.sorted()) == wanted.sets)
        #expect(try knot.lookUp("api.example.org", "AAAA") == ["2001:db8::2"])
        #expect(try knot.lookUp("api.example.org", "A") == ["192.0.2.1", "192.0.2.2"])
        #expect(try knot.lookUp("n3.example.org", "AAAA") == ["2001:db8::3"])
    }

    /// Half of all clients would connect to the unknown address.
    @Test(arguments: ["2001:db8::bad", "::ffff:c000:201"]) func anUnknownAddressIsRemoved(
        _ stranger: String
    ) async throws {
        let wanted = try Records(try sampleFleet(2))
        try await zone.apply(NamePlan(wanted: wanted, present: [:]).changes)
        let record = try #require(HostAddress(stranger).flatMap { DNSUpdater.Record(address: $0.bytes) })
        let names = ["api.example.org", "n1.example.org"]
        for name in names { try await knot.updater().perform([.add(try DNSName(name), ttl: 30, record)]) }
        let plan = NamePlan(wanted: wanted, present: try await zone.present(names + ["n2.example.org"]))
        #expect(plan.changes.map(\.name) == names)
        #expect(plan.lines.allSatisfy { $0.hasPrefix("- ") && $0.contains("AAAA") && $0.contains("no node") })
        try await zone.apply(plan.changes)
        #expect(try knot.lookUp("api.example.org", "AAAA") == [])
        #expect(try await zone.present(wanted.sets.keys.sorted()) == wanted.sets)
    }

    /// The records of one name must have the same TTL.
    @Test func differentTTLsAreCorrected() async throws {
        let wanted = try Records(try sampleFleet(1) { $0[0].ipv6 = "2001:db8::1" })
        try await zone.apply(NamePlan(wanted: wanted, present: [:]).changes)
        let name = try DNSName("n1.example.org")
        let record = try #require(HostAddress("2001:db8::1").flatMap { DNSUpdater.Record(address: $0.bytes) })
        try await knot.updater().perform([.removeSet(name, .aaaa), .add(name, ttl: 86_400, record)])
        let plan = NamePlan(wanted: wanted, present: try await zone.present(wanted.sets.keys.sorted()))
        #expect(plan.lines == ["~ n1.example.org ttl 0 -> 30"])
        try await zone.apply(plan.changes)
        #expect(try await zone.present(wanted.sets.keys.sorted()) == wanted.sets)
    }

    @Test func aNameOfAnotherZoneIsRejected() async throws {
        await #expect(throws: DNSUpdateError.refused(.refused)) { try await zone.present(["api.example.com"]) }
    }

    @Test func anUnreachableServerIsReported() async throws {
        let port = try FreePort.take(on: "127.0.0.1")
        let nowhere = UpdatedZone(
            DNSUpdater(server: ("127.0.0.1", port), zone: try DNSName("example.org"), key: nil, now: { 0 }))
        await #expect {
            try await nowhere.present(["api.example.org"])
        } throws: {
            "\($0)".contains("127.0.0.1:\(port)")
        }
    }
}
