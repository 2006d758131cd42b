import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct HealthFileTests {
    let scratch: Scratch
    let complete: Records
    let file: HealthFile

    init() throws {
        scratch = try Scratch()
        complete = try Records(try sampleFleet(3))
        file = HealthFile(path: scratch.file("health"), complete: complete)
    }

    private func apply(withdrawn: Set<String>) async throws {
        let wanted = try Records(try sampleFleet(3), withdrawn: withdrawn)
        let present = try await file.present(Array(wanted.sets.keys))
        try await file.apply(NamePlan(wanted: wanted, present: present).changes)
    }

    @Test func theFileListsNodesAsUpOrDown() async throws {
        try await apply(withdrawn: ["n2"])
        let text = String(decoding: try scratch.read("health"), as: UTF8.self)
        #expect(text.hasSuffix("\n192.0.2.1 => UP\n192.0.2.2 => DOWN\n192.0.2.3 => UP\n"))
        let present = try await file.present(["api.example.org", "n2.example.org"])
        #expect(present["api.example.org"]?.addresses == addresses(1, 3))
        #expect(present["n2.example.org"]?.addresses == addresses(2))
    }

    @Test func aRemovedNodeStaysListedAsDown() async throws {
        try await apply(withdrawn: [])
        let fewer = try sampleFleet(2)
        let smaller = HealthFile(path: scratch.file("health"), complete: try Records(fewer))
        let wanted = try Records(fewer)
        let plan = NamePlan(
            wanted: wanted, present: try await smaller.present([wanted.nearest]), names: [wanted.nearest])
        try await smaller.apply(plan.changes)
        #expect(plan.lines == ["- api.example.org 30 A 192.0.2.3  (no node of the inventory)"])
        // It stays in all later files.
        let next = try Records(fewer, withdrawn: ["n2"])
        let present = try await smaller.present([next.nearest])
        try await smaller.apply(NamePlan(wanted: next, present: present, names: [next.nearest]).changes)
        let text = String(decoding: try scratch.read("health"), as: UTF8.self)
        #expect(text.hasSuffix("\n192.0.2.1 => UP\n192.0.2.2 => DOWN\n192.0.2.3 => DOWN\n"))
        let remarks = try await smaller.remarks()
        #expect(remarks.count == 1)
        #expect(remarks.first?.contains("gdnsd may still have 192.0.2.3") == true)
        #expect(try await file.remarks() == [])
    }

    @Test func aNodeThatGdnsdDoesNotHaveIsReported() async throws {
        try await apply(withdrawn: [])
        let larger = HealthFile(path: scratch.file("health"), complete: try Records(try sampleFleet(4)))
        #expect(try await larger.remarks().first?.hasPrefix("gdnsd does not have 192.0.2.4 yet.") == true)
    }

    /// gdnsd considers an unlisted address as up.
    @Test func aNewUnhealthyNodeIsListedAsDown() async throws {
        try await apply(withdrawn: [])
        let larger = HealthFile(path: scratch.file("health"), complete: try Records(try sampleFleet(4)))
        let wanted = try Records(try sampleFleet(4), withdrawn: ["n4"], belowFloor: 1)
        let plan = NamePlan(
            wanted: wanted, present: try await larger.present([wanted.nearest]), names: [wanted.nearest])
        try await larger.apply(plan.changes)
        #expect(String(decoding: try scratch.read("health"), as: UTF8.self).contains("192.0.2.4 => DOWN"))
    }

    @Test func anUnwritableFileIsReportedWithItsSetting() async throws {
        let nowhere = HealthFile(path: scratch.file("no/health"), complete: complete)
        await #expect {
            try await nowhere.apply([
                NameChange(name: "api.example.org", before: nil, after: RecordSet(addresses: addresses(1), ttl: 30))
            ])
        } throws: {
            "\($0)".hasPrefix("health-file = \"\(scratch.file("no/health"))\" in [dns]")
        }
    }

    @Test func aMissingFileIsWrittenWhenAllNodesAreHealthy() async throws {
        try await apply(withdrawn: [])
        #expect(try !scratch.read("health").isEmpty)
    }

    @Test func unknownLinesAreNotOverwritten() async throws {
        try scratch.write(Array("192.0.2.1 -> UP\n".utf8), to: "health")
        await #expect(throws: HealthFileError.line("192.0.2.1 -> UP")) { try await apply(withdrawn: ["n2"]) }
    }

    @Test func nodeNamesAreNotListed() async throws {
        let change = NameChange(
            name: "n1.example.org", before: nil, after: RecordSet(addresses: addresses(7), ttl: 30))
        await #expect(throws: HealthFileError.fixedName("n1.example.org")) { try await file.apply([change]) }
    }
}
