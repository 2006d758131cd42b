import Foundation
import TestSupport
import Testing
import Wire

/// What a new figure must not miss: its coding key, and the heartbeat that the tests of the monitor's API and its description send.
@Suite struct HeartbeatMembersTests {
    @Test func theWholeHeartbeatHasEveryMemberAndEncodesIt() throws {
        let beat = Heartbeat.whole("tokyo", at: 1_700_000_000)
        #expect(unsetMembers(of: beat) == [])
        let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(beat))
        let members = try #require(encoded as? [String: Any])
        #expect(members.count == Mirror(reflecting: beat).children.count, "a member has no coding key")
        #expect(try JSONDecoder().decode(Heartbeat.self, from: JSONEncoder().encode(beat)) == beat)
    }
}
