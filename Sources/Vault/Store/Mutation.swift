package import VaultFormat

/// One thing that a commit checks or writes. A change is a list of these: values, so that they can be examined before they
/// are performed.
package enum Mutation: Sendable {
    /// Throws `principalGone` unless this is an active agent, or the owner with an open session.
    ///
    /// `policy`: An agent's, as its request met it: nothing that was allowed then and is not now.
    case expectPrincipal(HolderID, session: CredentialID?, policy: [UInt8]?)
    /// The holder can still open this field, in whatever version: one that was read may have been written anew meanwhile.
    case expectWrap(HolderID, EntryID, FieldID)
    /// Throws `changedSince` or `noSuchEntry` unless the entry is just so.
    case expectEntry(EntryID, vault: VaultID, version: Int, state: EntryState)
    /// Throws `entryExists`.
    case insertEntry(EntryRow)
    case updateEntry(EntryRow)
    case deleteEntry(EntryID)
    /// Makes this the field's current version.
    case putValue(StoredValue)
    /// Overwrites a value in its place: L2 rekey alone, which changes the key and not the value.
    case replaceEnvelope(FieldPlace, [UInt8])
    case removeField(EntryID, FieldID)
    /// Old versions of fields, by place.
    case deleteValues([FieldPlace])
    case putWrap(Wrap)
    /// Replaces a sealed wrap by a symmetric one if it is still there.
    case upgradeWrap(Wrap)
    /// A successor's, if the value was not deleted meanwhile.
    case renewWrap(Wrap)
    case dropWrap(EntryID, FieldID, HolderID)
    /// Takes a field, or every field, of an entry from all holders but the owner.
    case dropAgentWraps(EntryID, FieldID?, owner: HolderID)
    case replaceTerms(EntryID, vault: VaultID, [[UInt8]])
    case putItem(OwnerItem, HolderID, [UInt8])
    case dropItem(OwnerItem, HolderID)
    case insertHolder(HolderRow)
    case insertCredential(StoredCredential)
    case insertAgent(StoredAgent)
    /// Policy, state and the version of the record.
    case updateAgent(StoredAgent)
    /// Throws `noSuchAgent`.
    case setAgentState(HolderID, vault: VaultID, StoredAgent.State)
    /// With its credentials and record, in whose place its name stays. Throws `noSuchAgent`.
    ///
    /// `successor`: Who goes on with its count of uses.
    case deleteAgent(HolderID, vault: VaultID, successor: HolderID?, leaving: AgentName?)
    /// Throws `usesExhausted` when the count has reached the maximum.
    case countUse(HolderID, maximum: Int)
    /// Counts bytes that an agent writes; throws `quotaExceeded` beyond the maximum of the day (Unix days).
    case countBytes(HolderID, Int, day: Int64, maximum: Int)
    /// Throws `quotaExceeded` when the agent has as many deposits waiting.
    case expectDepositRoom(HolderID, maximum: Int)
    /// Throws `quotaExceeded` when all mutations together take the vault beyond a quota.
    case stayWithin(Quotas, VaultID)
    /// Says that all mutations together leave less than there was, to read or to do: what they write stands in the place of what
    /// gave more. Nobody's access is wider than before, and something is taken away.
    case narrows
    /// Records the answer to a request with an `Idempotency-Key`; throws `idempotencyKeyUsed` when there is one.
    case recordIdempotency(IdempotencyRecord)

    // MARK: Accounts

    /// Throws `emailTaken`, or `invalid` for a vault id that was used before.
    case insertAccount(AccountRow)
    /// Makes `to` the owner and deletes what the old holder could be opened with; its wraps are for `clear`. Throws
    /// `principalGone` unless `from` is the owner.
    case switchOwner(VaultID, from: HolderID, to: HolderID)
    case deleteCredential(CredentialID)
    case deleteCredentials(CredentialKind, of: VaultID)
    case deleteSessions(of: VaultID, except: CredentialID)
    case deleteSessionsExpired(before: Int64, idleSince: Int64)
    case touch(CredentialID, at: Int64)
    /// Throws `inviteNeeded` when it was used before.
    case redeemInvite([UInt8])
    case putAbuse(AbuseRow)
    /// Nobody signs in any more, the e-mail address is free, and what the audit log says of it is unreadable. Its rows are for
    /// `erase`.
    case closeAccount(VaultID)
}
