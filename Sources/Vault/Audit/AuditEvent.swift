import FoundationEssentials
package import VaultFormat

/// The body of an audit line. Contains ids and codes only, never a name, label or value.
package struct AuditEvent: Codable, Equatable, Sendable {
    package var action: Action
    package var actor: Actor
    package var outcome: Outcome
    /// The client's network address.
    package var from: String?
    package var entry: String?
    package var field: String?
    /// The entry's version after the change, or the version of the value read.
    package var version: Int?
    /// Parts written in `version`, as `PartID.text`.
    package var changed: [String]?
    package var removed: [String]?
    /// The agents that can open a part after this line, by part; only parts whose readers this line changes.
    package var readers: [String: [String]]?
    /// All parts that the subject can open after this line, as `entry/part`.
    package var holds: [String]?
    /// Further parts, when one line cannot contain them all.
    package var holdsToo: [String]?
    /// Agents that this line paused.
    package var paused: [String]?
    /// Kit and passkeys that a new key holder of the owner kept, and those that it ended.
    package var kept: [String]?
    package var ended: [String]?
    /// The agent, credential or vault that the line is about.
    package var subject: String?
    /// The key holder that this line makes the current one, of the owner or of the agent.
    package var holder: String?
    package var reason: String?
    /// For aggregated lines: the number of events within the minute.
    package var count: Int?

    /// Maximum parts in one line: 54 bytes each, in a secret box of at most 1 MiB.
    package static let mostHolds = 8_192

    /// Bytes of a line that are included in one operation; each further block counts as another operation.
    package static let bytesPerOperation = 512

    package enum Action: String, Codable, Sendable, CaseIterable {
        case valueRead = "value.read"
        case codeRead = "value.totp"
        case entryCreate = "entry.create"
        case entryUpdate = "entry.update"
        case entryTrash = "entry.trash"
        case entryUntrash = "entry.untrash"
        case entryPurge = "entry.purge"
        /// Old versions deleted by the node; `count` is the number of values.
        case historyPrune = "history.prune"
        case depositCreate = "deposit.create"
        case depositAccept = "deposit.accept"
        case depositReject = "deposit.reject"
        case depositExpire = "deposit.expire"
        case agentCreate = "agent.create"
        case agentUpdate = "agent.update"
        case agentRotate = "agent.rotate"
        case agentRevoke = "agent.revoke"
        case accountCreate = "account.create"
        case accountDelete = "account.delete"
        /// The kit was proved; nothing has changed yet.
        case recoveryBegin = "account.recover-begin"
        case accountRecover = "account.recover"
        case passwordChange = "account.password"
        case signOutEverywhere = "account.sign-out-everywhere"
        /// The l2Key has the next generation.
        case l2Rekey = "account.l2-rekey"
        /// An entry has another L2 key; `count` is the number of values.
        case entryRekey = "entry.l2-rekey"
        case recoveryChange = "account.recovery"
        case passkeyChange = "account.passkey"
        case secondFactorBegin = "account.totp-begin"
        /// A code, a recovery code or a passkey's challenge was used up by a request that changes credentials, whether or not that
        /// succeeded.
        case codeUse = "account.totp-use"
        case secondFactorEnable = "account.totp-enable"
        case secondFactorDisable = "account.totp-disable"
        case login
        case logout
        /// Sessions that reached their end or their idle limit; `count` is their number.
        case sessionExpire = "session.expire"
        /// A principal requested an operation that it is not authorized for, or used an invalid token.
        case denied
        case inviteRedeem = "invite.redeem"
        case nodeStart = "node.start"
        case nodeStop = "node.stop"
        case backup
        case restore
        case rootKeyRotate = "root-key.rotate"
        case rootKeyExport = "root-key.export"
        case export
        case readOnly = "node.read-only"
        case auditAccept = "audit.accept"
        case certificateOrder = "certificate.order"
        case certificateIssue = "certificate.issue"
        case certificateFail = "certificate.fail"
        case certificateRevoke = "certificate.revoke"
    }

    package struct Actor: Codable, Equatable, Sendable {
        package var kind: Kind
        package var id: String?

        package enum Kind: String, Codable, Sendable {
            case owner, agent, node, operator_ = "operator"
            /// Stored under its historical name.
            case unauthenticated = "stranger"
        }

        package init(_ kind: Kind, _ id: PrincipalID? = nil) {
            self.kind = kind
            self.id = id?.text
        }
    }

    package enum Outcome: String, Codable, Sendable {
        case ok, denied, failed
    }

    package init(
        _ action: Action, by actor: Actor, from: String? = nil, outcome: Outcome = .ok, entry: EntryID? = nil,
        field: FieldID? = nil, version: Int? = nil, subject: String? = nil, reason: String? = nil
    ) {
        self.action = action
        self.actor = actor
        self.from = from
        self.outcome = outcome
        self.entry = entry?.text
        self.field = field?.text
        self.version = version
        self.subject = subject
        self.reason = reason
    }
}

extension AuditEvent {
    /// Encodes what `Codable` would, with members in a fixed order.
    package func compactJSON() -> [UInt8] {
        var json = CompactJSON()
        json.add("action", action.rawValue)
        json.add("actor", ["kind": actor.kind.rawValue, "id": actor.id])
        json.add("outcome", outcome.rawValue)
        json.add("from", from)
        json.add("entry", entry)
        json.add("field", field)
        json.add("version", version)
        json.add("changed", changed)
        json.add("removed", removed)
        json.add("readers", readers)
        json.add("holds", holds)
        json.add("holdsToo", holdsToo)
        json.add("paused", paused)
        json.add("kept", kept)
        json.add("ended", ended)
        json.add("subject", subject)
        json.add("holder", holder)
        json.add("reason", reason)
        json.add("count", count)
        return json.finished()
    }
}

/// An encrypted line, ready to be appended to the chain. The store sees neither key nor content.
package struct SealedAuditLine: Sendable {
    /// Unix seconds.
    package let time: Int64
    package let vault: VaultID?
    package let body: [UInt8]
    /// The state of the vault, or of the node's own records, after a change of records: the digest is zeros when the vault was closed.
    /// Nil when no record changed. The store sets it.
    package var state: NodeState.Vault?

    package init(time: Int64, vault: VaultID?, body: [UInt8], state: NodeState.Vault? = nil) {
        self.time = time
        self.vault = vault
        self.body = body
        self.state = state
    }
}

package struct StoredAuditLine: Sendable {
    package let sequence: Int64
    package let line: SealedAuditLine
    package let hash: [UInt8]

    package init(sequence: Int64, line: SealedAuditLine, hash: [UInt8]) {
        self.sequence = sequence
        self.line = line
        self.hash = hash
    }
}
