import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Validation of agents' names, grants and policies.
extension AgentLifeTests {
    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var name = "robot"
        var grants = [Grant.tag("x")]
        var policy = AgentPolicy()
        var member: String
    }

    @Test(arguments: [
        Bad(testDescription: "no name", name: "", member: "name"),
        Bad(testDescription: "a long name", name: String(repeating: "x", count: 257), member: "name"),
        Bad(testDescription: "no grants", grants: [], member: "grants"),
        Bad(testDescription: "65 grants", grants: [Grant](repeating: .tag("x"), count: 65), member: "grants"),
        Bad(testDescription: "no verbs", policy: AgentPolicy(verbs: []), member: "verbs"),
        Bad(
            testDescription: "an end before its beginning", policy: AgentPolicy(notBefore: 5, expiresAt: 5),
            member: "expiresAt"),
        Bad(testDescription: "no uses", policy: AgentPolicy(maxUses: 0), member: "maxUses"),
        Bad(testDescription: "no rate", policy: AgentPolicy(ratePerMinute: 0), member: "ratePerMinute"),
        Bad(testDescription: "a long tag", grants: [.tag(String(repeating: "x", count: 129))], member: "grants.tag"),
        Bad(testDescription: "an empty tag", grants: [.tag("")], member: "grants.tag"),
        Bad(
            testDescription: "a long label", grants: [.tag("x", [String(repeating: "x", count: 257)])],
            member: "grants.labels"),
        Bad(testDescription: "no labels", grants: [.tag("x", [])], member: "grants"),
        Bad(
            testDescription: "an invalid field id", grants: [Grant(scope: .entry(.random()), only: ["x"])],
            member: "grants.fields"),
        Bad(testDescription: "the title as a field", grants: [.entry(.random(), [.title])], member: "grants.fields"),
    ])
    func isRefused(_ example: Bad) async {
        let error = await thrown {
            try await node.agent(example.name, grants: example.grants, policy: example.policy, as: owner)
        }
        guard case .invalid(let member, _) = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == example.member)
    }
}
