import Testing
import Vault
import VaultFormat

@Suite struct PolicyTests {
    private static let now: Int64 = 1_000_000

    private static func owner(age: Int64) -> Principal {
        Principal(
            vault: .random(), holder: .generate(), role: .owner(session: .random(), since: now - age), from: nil)
    }

    private static func agent(_ verbs: Set<AgentPolicy.Verb>, uses: Int? = nil, rate: Int? = nil) -> Principal {
        Principal(
            vault: .random(), holder: .generate(),
            role: .agent(.random(), AgentPolicy(verbs: verbs, maxUses: uses, ratePerMinute: rate)), from: nil)
    }

    private static func denial(of action: Action, to principal: Principal, on resource: Resource = .vault)
        -> VaultError?
    {
        switch PolicyEngine.evaluate(principal, action, on: resource, at: now) {
        case .permit: nil
        case .deny(let reason): reason
        }
    }

    /// The actions that agents can perform, with the verbs of which one is required.
    private static let agentActions: [Action: Set<AgentPolicy.Verb>?] = [
        .viewEntry: nil, .listEntries: nil, .search: nil, .readValue: [.read], .readCode: [.read, .totp],
        .changeValues: [.write], .deposit: [.deposit],
    ]

    @Test(arguments: Action.allCases) func anAgentIsPermittedByItsVerbsOnly(_ action: Action) {
        for verb in AgentPolicy.Verb.allCases {
            let denial = Self.denial(of: action, to: Self.agent([verb]))
            guard let needed = Self.agentActions[action] else {
                #expect(denial == .ownerOnly, "\(action) with \(verb)")
                continue
            }
            let isPermitted = needed.map { $0.contains(verb) } ?? true
            #expect((denial == nil) == isPermitted, "\(action) with \(verb)")
            if !isPermitted, case .verbMissing = denial {} else { #expect(isPermitted, "\(action) with \(verb)") }
        }
    }

    @Test(arguments: Action.allCases) func anOwnerIsPermittedEverythingSomeWithAFreshSession(_ action: Action) {
        let needsFresh: Set<Action> = [.createAgent, .changeAgent, .rotateAgent, .beginSecondFactor, .deleteAccount]
        guard action != .deposit else {
            #expect(Self.denial(of: action, to: Self.owner(age: 0)) != nil)
            return
        }
        #expect(Self.denial(of: action, to: Self.owner(age: 599)) == nil)
        #expect(
            Self.denial(of: action, to: Self.owner(age: 600)) == (needsFresh.contains(action) ? .reauthenticate : nil))
    }

    @Test func invisibleResourcesAreNotFoundForAgents() {
        let agent = Self.agent(Set(AgentPolicy.Verb.allCases))
        for state in [EntryState.trashed, .deposit] {
            #expect(Self.denial(of: .viewEntry, to: agent, on: .entry(state)) == .noSuchEntry)
            #expect(Self.denial(of: .viewEntry, to: Self.owner(age: 9_999), on: .entry(state)) == nil)
        }
        #expect(Self.denial(of: .viewEntry, to: agent, on: .entry(.active)) == nil)
        #expect(Self.denial(of: .readValue, to: agent, on: .field(.l2)) == .noSuchField)
        #expect(Self.denial(of: .readValue, to: agent, on: .field(.l1)) == nil)
        #expect(Self.denial(of: .readValue, to: Self.owner(age: 9_999), on: .field(.l2)) == nil)
    }

    @Test(arguments: Action.allCases) func anAgentsReadsAndWritesHaveObligations(_ action: Action) {
        let agent = Self.agent(Set(AgentPolicy.Verb.allCases), uses: 5, rate: 7)
        guard case .permit(let obligations) = PolicyEngine.evaluate(agent, action, at: Self.now) else { return }
        switch action {
        case .readValue, .readCode:
            #expect(
                obligations
                    == Obligations(confirmsPrincipal: true, confirmsKeys: true, maximumUses: 5, ratePerMinute: 7))
        case .changeValues, .deposit:
            #expect(
                obligations
                    == Obligations(confirmsPrincipal: true, confirmsKeys: false, maximumUses: 5, ratePerMinute: 7))
        default: #expect(obligations == Obligations())
        }
    }

    @Test func anOwnersReadsConfirmTheSession() {
        for action in [Action.readValue, .readPastValue, .readCode, .exportL2] {
            guard case .permit(let obligations) = PolicyEngine.evaluate(Self.owner(age: 0), action, at: Self.now) else {
                Issue.record("\(action) is denied")
                continue
            }
            #expect(obligations == Obligations(confirmsPrincipal: true))
        }
    }
}
