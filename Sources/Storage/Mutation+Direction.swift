import Auth
import Vault
import VaultFormat

/// The effect of a mutation on access rights and on disk space. A read-only node admits a commit when none of its mutations
/// adds anything: revoking access must work when everything else fails.
enum MutationDirection {
    /// Grants access, or uses unbounded disk space.
    case adds
    /// Revokes access.
    case reduces
    /// Moves to the trash, or frees disk space.
    case tidies
    /// Enforces a rule and has a bounded size: a condition or a counter.
    case keepsCount
    /// An optimization, left out on a read-only node.
    case savesTime
}

extension [Mutation] {
    /// Whether the mutations together grant no access and use no unbounded disk space. In a narrowing change each may write.
    var addNothing: Bool { narrow || allSatisfy { $0.direction != .adds } }

    var narrow: Bool { contains { if case .narrows = $0 { true } else { false } } }

    /// Free bytes that a read-only node requires. As the disk fills up, reads and failed sign-ins are refused first, then trash and
    /// purges, then sign-ins; revocations are refused last.
    var room: Int64 {
        let signsIn = contains { mutation in
            switch mutation {
            // Includes the use of a second-factor code, which is stored first, and a failure: a secret is checked only when its
            // failure could be recorded.
            case .insertCredential, .putItem, .putAbuse, .acceptChallenge: true
            default: false
            }
        }
        if signsIn { return Self.roomForSignIns }
        if contains(where: { $0.direction == .tidies }) { return Self.roomForTidying }
        return contains { $0.direction == .reduces } ? 0 : Self.roomForReads
    }

    /// Free bytes that a revocation requires after `count` revocations of the same vault since the disk became full. Each leaves a
    /// permanent audit line, and a vault with a hundred agents must not use up the space of vaults with one. Closing an account
    /// requires none, because it frees the most.
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
    /// More than sign-ins require, including the growth of the WAL before it is truncated: trash and purges must not keep owners
    /// from signing in to revoke.
    static var roomForTidying: Int64 { 7 << 19 }
    static var roomForSignIns: Int64 { 2 << 20 }
}

// No `default` here, so that a new mutation does not compile without a direction.

extension Mutation {
    var direction: MutationDirection {
        switch self {
        case .insertEntry, .putValue, .replaceEnvelope, .putL2Entry, .beginL2Rekey, .putWrap, .renewWrap, .replaceTerms,
            .insertHolder, .insertAgent, .updateAgent, .switchAgent, .recordIdempotency, .insertAccount, .switchOwner,
            .keepCredential, .dropPasskeyL2Keys:
            .adds
        // Disabling the second factor makes a password sufficient; the details of a passkey end with it.
        case .dropItem(let item, _, _): item.isPasskey ? .reduces : .adds
        case .updateEntry(let row): row.state == .trashed ? .tidies : .adds
        case .setAgentState(_, _, let state): state == .active ? .adds : .reduces
        // An owner must sign in to revoke anything. The number of sessions is bounded: the oldest ends for a new one.
        case .insertCredential(let credential): credential.kind == .session ? .keepsCount : .adds
        // A narrowing also writes, so it requires as much space as moving to the trash. Below that, pausing and revoking work.
        case .deleteEntry, .removePart, .deleteValues, .finishL2Rekey, .narrows: .tidies
        case .dropWrap, .dropAgentWraps, .deleteAgent, .deleteCredential, .deleteCredentials, .deleteSessions,
            .closeAccount:
            .reduces
        // Of the second factor the last code, which a sign-in must store. A new one cannot be confirmed here, so none begins, and a
        // passkey is neither added nor renamed.
        case .putItem(let item, _, _, _): item == .pendingTOTP || item.isPasskey ? .adds : .keepsCount
        case .expectPrincipal, .expectReader, .expectEntry, .countUse, .countBytes, .expectDepositRoom, .stayWithin,
            .redeemInvite, .putAbuse, .acceptChallenge:
            .keepsCount
        case .upgradeWrap, .boxCredential, .touch: .savesTime
        }
    }
}
