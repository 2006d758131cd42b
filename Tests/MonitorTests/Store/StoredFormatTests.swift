import Foundation
import Monitor
import Testing

/// JSON in the database keeps the keys of earlier versions readable.
@Suite struct StoredFormatTests {
    private func decode<Value: Decodable>(_ json: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    }

    @Test func anIncidentOfAnEarlierVersionIsInhibited() throws {
        let incident: Incident = try decode(
            """
            {"id":7,"key":"tokyo/disk","node":"tokyo","rule":"disk","severity":"sev2","title":"t","detail":"d","opened":1,
             "hiddenBy":"tokyo/silent"}
            """)
        #expect(incident.inhibitedBy == "tokyo/silent")
        #expect(try JSONRoundTrip.of(incident) == incident)
    }

    @Test func aPlanOfAnEarlierVersionHasItsDuration() throws {
        let plan: MaintenancePlan = try decode(
            """
            {"id":1,"nodes":[],"by":"soc","reason":"r","start":"2027-01-15T02:00","zone":"UTC","isWeekly":true,"span":60000,
             "begun":5}
            """)
        #expect(plan.duration == 60_000 && plan.begun == 5)
        #expect(try JSONRoundTrip.of(plan) == plan)
    }

    @Test func aNodesStateKeepsItsKeys() throws {
        let state: PersistedNodeState = try decode(
            """
            {"isStopped":false,"skew":0,"sequence":3,"pastBoots":[],"usualErrors":0,"ill":"no paper",
             "witness":{"epoch":1,"sequence":9,"head":"h"}}
            """)
        #expect(state.healthProblem == "no paper" && state.checkpoint?.sequence == 9)
        #expect(String(decoding: try JSONEncoder().encode(state), as: UTF8.self).contains(#""ill":"no paper""#))
    }
}
