import Auth
import Vault
import VaultFormat
import Wire

/// The JSON schema of a body. A `?` after a member's name marks it as optional.
package struct Schema: Sendable {
    let members: [String: Member]
    /// The members by their JSON names, without the `?`.
    let byName: [String: Member]

    package indirect enum Member: Sendable {
        case text, id, base64, integer, number, bool, time
        case choice([String])
        case list(Member)
        case schema(String)
        /// A list of strings, or `"*"` for all.
        case selection
        /// `null` removes what was set.
        case removable(Member)
    }

    private init(_ members: [String: Member]) {
        self.members = members
        byName = Dictionary(
            uniqueKeysWithValues: members.map { ($0.key.hasSuffix("?") ? String($0.key.dropLast()) : $0.key, $0.value) }
        )
    }

    private init(numbers: [String]) {
        self.init(Dictionary(uniqueKeysWithValues: numbers.map { ($0, .integer) }))
    }

    static let all: [String: Schema] = [
        "Problem": Schema([
            "type": .choice(ProblemCode.allCases.map { Problem.prefix + $0.rawValue }), "title": .text,
            "status": .integer, "detail?": .text, "retryAfter?": .integer,
            "version?": .integer, "fields?": .list(.id), "member?": .text, "requestId?": .text,
        ]),
        "Empty": Schema([:]),
        "Health": Schema(["status": .text, "reasons": .list(.text)]),
        "Node": Schema(["origin": .text, "version": .text, "registration": .choice(["open", "invite", "closed"])]),
        "Nodes": Schema(["nodes": .list(.schema("FleetNode"))]),
        "FleetNode": Schema(["name": .text, "city": .text, "url": .text, "latitude": .number, "longitude": .number]),
        "OpenAPI": Schema(["openapi": .text]),
        "PreloginRequest": Schema(["email": .text]),
        "Prelogin": Schema(["origin": .text, "kdf": .schema("KDF"), "salt": .base64]),
        "KDF": Schema([
            "type": .choice(["argon2id"]), "memoryKiB": .integer, "iterations": .integer, "parallelism": .integer,
        ]),
        "L2": Schema(["generation": .integer, "wrappedKey": .base64]),
        "L2Entry": Schema(["generation": .integer, "key": .integer, "box": .base64]),
        "Recovery": Schema(["id": .id, "key": .base64, "l2": .schema("L2")]),
        "Registration": Schema([
            "email": .text, "vault": .id, "kdf": .schema("KDF"), "salt": .base64, "authKey": .base64,
            "l2": .schema("L2"),
            "recovery?": .schema("Recovery"), "invite?": .text,
        ]),
        "Login": Schema([
            "email?": .text, "authKey?": .base64, "totp?": .text, "passkey?": .schema("PasskeyLogin"),
            "device?": .base64,
        ]),
        "PasskeyLogin": Schema([
            "authKey": .base64, "credentialId?": .base64, "clientDataJSON": .base64, "authenticatorData": .base64,
            "signature": .base64,
        ]),
        "PasskeyChallenge": Schema(["challenge": .base64, "rpId": .text]),
        "PasskeyEnrolment": Schema([
            "proof": .schema("Proof"), "id": .id, "authKey": .base64, "l2?": .schema("L2"), "publicKey": .base64,
            "algorithm": .choice(["ES256", "RS256"]), "details": .schema("PasskeyDetails"),
        ]),
        "PasskeyDetails": Schema(["name": .text, "credentialId": .base64, "transports": .list(.text)]),
        "PasskeyName": Schema(["name": .text]),
        "CredentialList": Schema(["credentials": .list(.schema("Credential"))]),
        "Credential": Schema([
            "id": .id, "kind": .choice(["recovery", "passkey"]), "createdAt": .time, "lastUsedAt?": .time,
            "opensL2": .bool, "details?": .schema("StoredPasskeyDetails"),
        ]),
        "StoredPasskeyDetails": Schema([
            "name": .text, "credentialId": .base64, "transports": .list(.text), "made": .time,
        ]),
        "Proof": Schema([
            "kind": .choice(["password", "recovery", "passkey"]), "secret": .base64, "code?": .text,
            "clientDataJSON?": .base64, "authenticatorData?": .base64, "signature?": .base64,
        ]),
        "RecoveryBegin": Schema(["email": .text, "proof": .schema("Proof"), "device?": .base64]),
        "RecoveryBegun": Schema(["vault": .id, "l2": .schema("L2")]),
        "Recover": Schema([
            "email": .text, "proof": .schema("Proof"), "authKey": .base64, "l2": .schema("L2"),
            "recovery?": .schema("Recovery"), "keep": .list(.id), "keepAgents": .list(.id), "device?": .base64,
        ]),
        "OwnerChange": Schema([
            "session": .schema("Session"), "kit": .choice(Accounts.OwnerChange.KitState.allCases.map(\.rawValue)),
            "kept": .list(.id), "ended": .list(.id), "endedSessions": .integer, "activeAgents": .list(.id),
            "pausedAgents": .list(.id), "owed": .bool,
        ]),
        "Session": Schema([
            "token": .text, "id": .id, "expiresAt": .time, "vault": .id, "l2?": .schema("L2"), "device": .base64,
        ]),
        "SessionList": Schema(["sessions": .list(.schema("SessionItem"))]),
        "SessionItem": Schema([
            "id": .id, "createdAt": .time, "lastUsedAt": .time, "expiresAt": .time, "isCurrent": .bool,
        ]),
        "Account": Schema([
            "email": .text, "vault": .id, "createdAt": .time, "hasRecoveryKit": .bool, "hasSecondFactor": .bool,
            "usage": .schema("Usage"), "quotas": .schema("Quotas"),
        ]),
        "Usage": Schema(numbers: VaultUsage.counted.map(\.rawValue)),
        "Quotas": Schema(numbers: Quota.allCases.map(\.rawValue)),
        "Password": Schema([
            "proof": .schema("Proof"), "authKey": .base64, "l2": .schema("L2"), "recovery?": .schema("Recovery"),
            "keep": .list(.id), "keepAgents?": .list(.id),
        ]),
        "SignOut": Schema([
            "proof": .schema("Proof"), "recovery?": .schema("Recovery"), "keep": .list(.id),
            "keepAgents": .list(.id),
        ]),
        "Kit": Schema(["proof": .schema("Proof"), "recovery": .schema("Recovery")]),
        "Proven": Schema(["proof": .schema("Proof")]),
        "SecondFactorRequest": Schema(["proof?": .schema("Proof"), "code?": .text]),
        "SecondFactor": Schema(["secret?": .text, "uri?": .text, "recoveryCodes?": .list(.text)]),
        "L2Rekey": Schema([
            "proof": .schema("Proof"), "l2": .schema("L2"), "previous": .base64, "recovery?": .schema("Recovery"),
        ]),
        "L2Status": Schema([
            "generation": .integer, "previous?": .base64, "entries": .list(.id), "next?": .text,
        ]),
        "L2Values": Schema([
            "version": .integer, "l2": .schema("L2Entry"), "envelopes": .list(.schema("L2Value")), "next?": .text,
        ]),
        "L2Value": Schema(["field": .id, "version": .integer, "isCurrent": .bool, "envelope": .base64]),
        "L2EntryRekey": Schema(["l2": .schema("L2Entry"), "envelopes": .list(.schema("L2Envelope"))]),
        "L2Envelope": Schema(["field": .id, "version": .integer, "envelope": .base64]),
        "EntryWrite": Schema([
            "id?": .id, "title?": .text, "type?": .choice(EntryType.allCases.map(\.rawValue)), "urls?": .list(.text),
            "tags?": .list(.text),
            "notes?": .text, "fields?": .list(.schema("FieldWrite")), "l2?": .schema("L2Entry"),
        ]),
        "FieldWrite": Schema([
            "id?": .id, "label?": .text, "kind?": .choice(FieldKind.allCases.map(\.rawValue)), "tier?": .integer,
            "value?": .text,
            "envelope?": .base64, "remove?": .bool,
        ]),
        "Entry": Schema([
            "id": .id, "version": .integer, "title": .text, "type": .choice(EntryType.allCases.map(\.rawValue)),
            "urls?": .list(.text),
            "tags?": .list(.text), "notes?": .text, "createdAt": .time, "updatedAt": .time, "deletedAt?": .time,
            "depositor?": .id, "depositorName?": .text, "fields": .list(.schema("Field")), "l2?": .schema("L2Entry"),
        ]),
        "Field": Schema([
            "id": .id, "label": .text, "kind": .choice(FieldKind.allCases.map(\.rawValue)), "tier": .integer,
            "version": .integer,
        ]),
        "EntryList": Schema(["entries": .list(.schema("Entry")), "next?": .text]),
        "Search": Schema([
            "text?": .text, "tag?": .text, "host?": .text, "titles?": .list(.text), "cursor?": .text,
            "limit?": .integer,
        ]),
        "ValuesRead": Schema(["values": .list(.schema("ValueName"))]),
        "ValueName": Schema(["entry": .id, "field": .id]),
        "Values": Schema(["values": .list(.schema("FieldValue"))]),
        "FieldValue": Schema([
            "id": .id, "label": .text, "kind": .choice(FieldKind.allCases.map(\.rawValue)), "tier": .integer,
            "version": .integer,
            "value?": .text, "envelope?": .base64,
        ]),
        "Code": Schema(["code": .text, "period": .integer, "expiresIn": .integer]),
        "Versions": Schema(["versions": .list(.schema("Version"))]),
        "Version": Schema(["version": .integer, "at": .time, "by": .id, "agentName?": .text, "fields": .list(.id)]),
        "Restore": Schema([
            "version?": .integer, "fields?": .list(.schema("FieldWrite")), "l2?": .schema("L2Entry"),
        ]),
        "Deposit": Schema(["id": .id]),
        "Grant": Schema(["entry?": .id, "fields?": .selection, "tag?": .text, "labels?": .selection]),
        "AgentWrite": Schema([
            "name?": .text, "grants?": .list(.schema("Grant")),
            "verbs?": .list(.choice(AgentPolicy.Verb.allCases.map(\.rawValue))), "notBefore?": .removable(.time),
            "expiresAt?": .removable(.time), "cidr?": .list(.text),
            "maxUses?": .removable(.integer), "ratePerMinute?": .removable(.integer), "paused?": .bool,
        ]),
        "Agent": Schema([
            "id": .id, "name": .text, "grants": .list(.schema("Grant")),
            "verbs": .list(.choice(AgentPolicy.Verb.allCases.map(\.rawValue))),
            "notBefore?": .time, "expiresAt?": .time, "cidr": .list(.text), "maxUses?": .integer,
            "ratePerMinute?": .integer, "state": .choice(AgentView.Condition.allCases.map(\.rawValue)),
            "uses": .integer,
            "createdAt": .time,
        ]),
        "AgentList": Schema(["agents": .list(.schema("Agent")), "next?": .text]),
        "AgentToken": Schema([
            "id": .id, "token": .text, "agent": .schema("Agent"), "disclosures?": .schema("Disclosures"),
        ]),
        "Disclosures": Schema([
            "canRead": .list(.schema("FieldPlace")), "didRead": .list(.schema("FieldRead")),
            "isComplete": .bool,
        ]),
        "FieldPlace": Schema(["entry": .id, "field": .id]),
        "FieldRead": Schema([
            "entry": .id, "field": .id, "version": .integer, "lastAt": .time, "count": .integer,
            "codes?": .integer,
        ]),
        "Audit": Schema(["lines": .list(.schema("AuditLine")), "next?": .text]),
        "AuditLine": Schema([
            "sequence": .integer, "at": .time, "action": .text, "outcome": .choice(["ok", "denied", "failed"]),
            "actorKind": .choice(["owner", "agent", "node", "operator", "stranger"]), "actor?": .id,
            "actorName?": .text,
            "subjectName?": .text, "from?": .text, "entry?": .id, "field?": .id, "version?": .integer,
            "subject?": .text, "reason?": .text, "count?": .integer, "kept?": .list(.id), "ended?": .list(.id),
        ]),
    ]

    var json: JSON {
        let required = members.keys.filter { !$0.hasSuffix("?") }.sorted()
        return [
            "type": "object", "required": .array(required.map(JSON.string)),
            "properties": .object(byName.mapValues(\.json)),
        ]
    }
}

extension Schema.Member {
    var json: JSON {
        switch self {
        case .text: ["type": "string"]
        case .id: ["type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"]
        case .base64: ["type": "string", "pattern": "^[A-Za-z0-9_-]*$", "contentEncoding": "base64url"]
        case .integer: ["type": "integer"]
        case .number: ["type": "number"]
        case .bool: ["type": "boolean"]
        case .time: ["type": "integer", "description": "Unix seconds"]
        case .choice(let values): ["type": "string", "enum": .array(values.map(JSON.string))]
        case .list(let item): ["type": "array", "items": item.json]
        case .schema(let name): ["$ref": .string("#/components/schemas/\(name)")]
        case .selection: ["oneOf": [["type": "array", "items": ["type": "string"]], ["const": "*"]]]
        case .removable(let member):
            ["oneOf": .array([member.json, ["type": "null"]]), "description": "`null` removes it."]
        }
    }
}
