import Auth
import Vault
import VaultFormat

/// What a mutation does to who can read what, and to the room on the disk. A node that is read-only admits a commit when none
/// of its mutations adds anything: taking access away must work when everything else does not.
enum MutationDirection {
    /// Gives access, or takes room that nothing bounds.
    case adds
    /// Takes access away.
    case reduces
    /// Moves to the trash, or frees room.
    case tidies
    /// Part of a rule, and of bounded size: a condition, a count.
    case keepsCount
    /// Left out where nothing should be written that need not be.
    case savesTime
}

extension [Mutation] {
    /// Whether what they come to gives no access and takes no room that nothing bounds. Of mutations that narrow
    /// together each may write.
    var addNothing: Bool { narrow || allSatisfy { $0.direction != .adds } }

    var narrow: Bool { contains { if case .narrows = $0 { true } else { false } } }

    /// Bytes that have to be free on the disk of a read-only node: reads, and failures to sign in, end before those run out by
    /// which people sign in, and these before those by which access is taken away and room is freed.
    var room: Int64 {
        let signsIn = contains { mutation in
            switch mutation {
            // The code of a second factor, too, which goes before what it is shown for; and a failure, since a secret is only
            // looked at where it can be written down that it was wrong.
            case .insertCredential, .putItem, .putAbuse: true
            default: false
            }
        }
        if signsIn { return Self.roomForSignIns }
        if contains(where: { $0.direction == .tidies }) { return Self.roomForTidying }
        return contains { $0.direction == .reduces } ? 0 : Self.roomForReads
    }

    /// What a vault needs that has taken access away so often already since the disk was full. Each leaves a line for ever, and
    /// whoever has a hundred agents to revoke must not take the room of those who have one. Closing an account needs none: it
    /// frees most.
    func room(after count: Int) -> Int64 {
        let closes = contains { if case .closeAccount = $0 { true } else { false } }
        if closes { return 0 }
        return switch count {
        case ..<5: 0
        case ..<25: 512 << 10
        case ..<100: 1 << 20
        default: 3 << 19
        }
    }

    static var roomForReads: Int64 { 8 << 20 }
    /// Above that for sign-ins, with what the write-ahead log takes until it is cut: trash and purges go on for as long as
    /// owners can sign in to revoke.
    static var roomForTidying: Int64 { 7 << 19 }
    static var roomForSignIns: Int64 { 2 << 20 }
}

// No `default` anywhere: a new mutation does not compile until somebody decides which way it goes.

extension Mutation {
    var direction: MutationDirection {
        switch self {
        case .insertEntry, .putValue, .replaceEnvelope, .putWrap, .renewWrap, .replaceTerms, .insertHolder,
            .insertAgent, .updateAgent, .recordIdempotency, .insertAccount, .switchOwner:
            .adds
        // Without a second factor a password is enough.
        case .dropItem: .adds
        case .updateEntry(let row): row.state == .trashed ? .tidies : .adds
        case .setAgentState(_, _, let state): state == .active ? .adds : .reduces
        // An owner has to sign in before he can take anything away. Sessions give way to each other, so they are few.
        case .insertCredential(let credential): credential.kind == .session ? .keepsCount : .adds
        // With what it writes it needs the room that moving to the trash needs. Who has less pauses or revokes.
        case .deleteEntry, .removeField, .deleteValues, .narrows: .tidies
        case .dropWrap, .dropAgentWraps, .deleteAgent, .deleteCredential, .deleteCredentials, .deleteSessions,
            .deleteSessionsExpired, .closeAccount:
            .reduces
        // The second factor's last code among them, without which nobody signs in. There are three of an owner.
        case .putItem: .keepsCount
        case .expectPrincipal, .expectWrap, .expectEntry, .countUse, .countBytes, .expectDepositRoom, .stayWithin,
            .redeemInvite, .putAbuse:
            .keepsCount
        case .upgradeWrap, .touch: .savesTime
        }
    }
}
