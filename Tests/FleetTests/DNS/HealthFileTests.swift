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

    @Test func itSaysWhoIsUpAndWhoIsDown() async throws {
        try await apply(withdrawn: ["n2"])
        let text = String(decoding: try scratch.read("health"), as: UTF8.self)
        #expect(text.hasSuffix("\n192.0.2.1 => UP\n192.0.2.2 => DOWN\n192.0.2.3 => UP\n"))
        let present = try await file.present(["api.example.org", "n2.example.org"])
        #expect(present["api.example.org"]?.addresses == addresses(1, 3))
        #expect(present["n2.example.org"]?.addresses == addresses(2))
    }

    @Test func aMissingFileIsWrittenEvenWhenAllAreWell() async throws {
        try await apply(withdrawn: [])
        #expect(try !scratch.read("health").isEmpty)
    }

    @Test func aLineThatIsNotOursIsNotOverwritten() async throws {
        try scratch.write(Array("192.0.2.1 -> UP\n".utf8), to: "health")
        await #expect(throws: HealthFileError.line("192.0.2.1 -> UP")) { try await apply(withdrawn: ["n2"]) }
    }

    @Test func aNodesOwnNameIsNotInIt() async throws {
        let change = NameChange(
            name: "n1.example.org", before: nil, after: RecordSet(addresses: addresses(7), ttl: 30))
        await #expect(throws: HealthFileError.fixedName("n1.example.org")) { try await file.apply([change]) }
    }
}
