import Foundation
import Testing
import Vault
import VaultFormat

@Suite struct CompactJSONTests {
    @Test func roundTrips() throws {
        var event = AuditEvent(
            .entryUpdate, by: .init(.agent, .random()), from: "192.0.2.1", outcome: .denied, entry: .random(),
            field: .random(), version: 7, subject: "s", reason: "a \"quoted\" \\ back\nslash \u{1} é 🗝")
        event.changed = ["a", "b"]
        event.removed = []
        event.readers = ["y": ["1", "2"], "x": []]
        event.holds = ["h"]
        event.holder = "n"
        event.count = 3
        let read = try JSONDecoder().decode(AuditEvent.self, from: Data(event.compactJSON()))
        #expect(read == event)
    }

    @Test func leavesOutNilMembers() throws {
        let event = AuditEvent(.nodeStart, by: .init(.node))
        #expect(
            String(decoding: event.compactJSON(), as: UTF8.self)
                == #"{"action":"node.start","actor":{"kind":"node"},"outcome":"ok"}"#)
        let read = try JSONDecoder().decode(AuditEvent.self, from: Data(event.compactJSON()))
        #expect(read == event)
    }

    @Test func anObjectWithoutMembersIsEmpty() {
        #expect(CompactJSON().finished() == Array("{}".utf8))
    }
}
