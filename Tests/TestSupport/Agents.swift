import Auth
package import IPNetworks
package import Vault
package import VaultFormat

/// A created agent with its token and key holder.
package struct TestAgent: Sendable {
    package let id: PrincipalID
    package let token: Token
    package let holder: HolderKey
}

extension TestVault {
    package func agent(
        _ name: String = "robot", grants: [Grant], policy: AgentPolicy = AgentPolicy(), as owner: Principal
    ) async throws -> TestAgent {
        let token = Token(.agent)
        let created = try await agents.create(.init(name: name, grants: grants, policy: policy), as: owner) {
            [tokens] in tokens.mutations(for: $0.holder, token, vault: owner.vault)
        }
        return TestAgent(id: created.agent.id, token: token, holder: created.holder)
    }

    package func rotate(_ agent: TestAgent, as owner: Principal) async throws -> TestAgent {
        let token = Token(.agent)
        let created = try await agents.rotate(agent.id, as: owner) { [tokens] in
            tokens.mutations(for: $0.holder, token, vault: owner.vault)
        }
        return TestAgent(id: created.created.agent.id, token: token, holder: created.created.holder)
    }

    /// Authenticates with the agent's token.
    package func principal(_ agent: TestAgent, from address: IPAddress? = TestVault.home) async throws -> Principal {
        try await principal(agent.token, from: address)
    }
}

extension Grant {
    package static func entry(_ id: EntryID, _ fields: [FieldID]? = nil) -> Grant {
        Grant(scope: .entry(id), only: fields?.map(\.text))
    }

    package static func tag(_ tag: String, _ labels: [String]? = nil) -> Grant {
        Grant(scope: .tag(tag), only: labels)
    }
}

extension EntryEdit {
    /// Creates a login with these L1 fields, in order.
    package static func login(
        _ title: String = "Bank", urls: [String] = [], tags: [String] = [],
        _ fields: KeyValuePairs<String, String> = ["username": "ada", "password": "hunter2"]
    ) -> EntryEdit {
        EntryEdit(
            title: title, type: .login, urls: urls, tags: tags,
            fields: fields.map { .init(label: $0.key, kind: .secret, content: .value($0.value)) })
    }

    /// A patch of one field's value.
    package static func value(_ value: String, of field: FieldID) -> EntryEdit {
        EntryEdit(fields: [.init(id: field, content: .value(value))])
    }
}

extension EntryView {
    /// The id of the field with this label.
    package func field(_ label: String) -> FieldID {
        fields.first { $0.label == label }?.id ?? .random()
    }
}

extension TestVault {
    /// Reads a field's L1 value.
    package func value(_ field: FieldID, of entry: EntryID, as principal: Principal) async throws -> String? {
        guard case .value(let value) = try await entries.read(field, of: entry, as: principal).content else {
            return nil
        }
        return value
    }

    /// The events of the owner's vault, newest first.
    package func events(as owner: Principal) async throws -> [AuditEvent] {
        try await trail.lines(before: nil, limit: 1_000, as: owner).items.map(\.event)
    }
}
