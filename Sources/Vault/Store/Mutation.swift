package import VaultFormat

/// A check or write in a commit. A change is a list of these values, which can be examined before they are performed.
package enum Mutation: Sendable {
    /// Throws `principalGone` unless this is an active agent, or the owner with an open session.
    ///
    /// `policy`: An agent's policy at the time of the request, which must be unchanged.
    case expectPrincipal(PrincipalID, holder: HolderID, in: VaultID, session: CredentialID?, policy: [UInt8]?)
    /// Throws `noSuchField` unless the agent may read this field's value, in whatever version: it may have been rewritten since it was
    /// read.
    ///
    /// `record`: The entry's record as it was read, for this agent. While it is the present one, it is not read again.
    case expectReader(PrincipalID, EntryID, FieldID, vault: VaultID, record: StateDigest)
    /// Throws `changedSince` or `noSuchEntry` unless the entry has this version and state.
    case expectEntry(EntryID, vault: VaultID, version: Int, state: EntryState)
    /// Throws `entryExists`.
    case insertEntry(EntryRow)
    case updateEntry(EntryRow)
    case deleteEntry(EntryID)
    /// Adds a value as the part's current version.
    case putValue(StoredValue)
    /// Overwrites an L2 value of any version. Only for a rekey, which changes the key and not the value. Throws `noSuchVersion`.
    case replaceEnvelope(FieldPlace, [UInt8])
    /// Adds or replaces an entry's L2 key.
    case putL2Entry(L2EntryRow)
    /// Removes a part from the current version of the entry.
    case removePart(EntryID, PartID, vault: VaultID)
    /// Deletes old versions of parts.
    case deleteValues([FieldPlace])
    case putWrap(Wrap)
    /// Replaces a sealed wrap with a symmetric one if it still exists.
    case upgradeWrap(Wrap)
    /// Adds the wrap of a replacement key holder, if the value still exists.
    case renewWrap(Wrap)
    case dropWrap(EntryID, PartID, PrincipalID, vault: VaultID)
    /// Deletes all wraps of a part, or of every part, of an entry, except the owner's.
    case dropAgentWraps(EntryID, PartID?, owner: HolderID, vault: VaultID)
    case replaceTerms(EntryID, vault: VaultID, [[UInt8]])
    /// Stores an item and lists it in the account's row.
    case putItem(OwnerItem, HolderID, vault: VaultID, [UInt8])
    case dropItem(OwnerItem, HolderID, vault: VaultID)
    case insertHolder(HolderRow)
    /// Throws `credentialExists` when there is one with this id or look-up value.
    case insertCredential(StoredCredential)
    case insertAgent(StoredAgent)
    /// Updates policy, state and record version.
    case updateAgent(StoredAgent)
    /// Throws `noSuchAgent`.
    case setAgentState(PrincipalID, vault: VaultID, StoredAgent.State)
    /// Makes `to` the agent's key holder and deletes the old one's credentials; `clear` deletes its wraps. Throws `noSuchAgent` unless
    /// `from` is the agent's.
    case switchAgent(PrincipalID, vault: VaultID, from: HolderID, to: HolderID)
    /// Deletes an agent with its credentials, and replaces its record with its name. Throws `noSuchAgent`.
    case deleteAgent(PrincipalID, vault: VaultID, leaving: AgentName?)
    /// Throws `usesExhausted` when the count has reached the maximum.
    case countUse(PrincipalID, maximum: Int)
    /// Counts bytes that an agent writes; throws `quotaExceeded` beyond the daily maximum. `day`: Days since the Unix epoch.
    case countBytes(PrincipalID, Int, day: Int64, maximum: Int)
    /// Throws `quotaExceeded` when the agent has `maximum` pending deposits.
    case expectDepositRoom(PrincipalID, in: VaultID, maximum: Int)
    /// Throws `quotaExceeded` when all mutations together take the vault beyond a quota.
    case stayWithin(Quotas, VaultID)
    /// Marks a narrowing change: all mutations together reduce access or content, and extend no access. What they write replaces
    /// something that gave more.
    case narrows
    /// Records the response to a request with an `Idempotency-Key`; throws `idempotencyKeyUsed` when the key has a record.
    case recordIdempotency(IdempotencyRecord)

    // MARK: Accounts

    /// Throws `emailTaken`, or `invalid` for a vault id that was used before.
    case insertAccount(AccountRow)
    /// Makes `to` the owner's key holder and deletes the old one's credentials and items; `clear` deletes its wraps. Throws
    /// `principalGone` unless `from` is the owner.
    case switchOwner(VaultID, from: HolderID, to: HolderID)
    /// Makes the next generation of the l2Key the current one. Throws `l2KeyChanged` for another generation than the next, and while
    /// a rekey runs.
    ///
    /// `previous`: The client's secret box of the old key; nil when no entry has L2 values.
    case beginL2Rekey(VaultID, generation: Int, previous: [UInt8]?)
    /// Forgets the previous l2Key when no entry needs it any more.
    case finishL2Rekey(VaultID)
    case deleteCredential(CredentialID)
    /// Gives a kit or passkey to the owner's next key holder: updates its key holder and its box together.
    case keepCredential(StoredCredential)
    /// Replaces the box of a sealed credential if it is still `from`.
    case boxCredential(CredentialID, from: [UInt8], to: [UInt8])
    /// Records the challenge that a passkey answered, in microseconds; throws `badCredentials` unless it is newer than the last.
    case acceptChallenge(CredentialID, Int64)
    /// Deletes the wrapped l2Key of every passkey, which opens only the old l2Key.
    case dropPasskeyL2Keys(of: VaultID)
    case deleteCredentials(CredentialKind, of: VaultID)
    case deleteSessions(of: VaultID, except: CredentialID)
    case touch(CredentialID, at: Int64)
    /// Redeems an invitation; throws `inviteNeeded` when it was redeemed before.
    case redeemInvite([UInt8])
    case putAbuse(AbuseRow)
    /// Closes an account: sign-in is impossible, the e-mail address is free, and the vault's audit lines are unreadable. `erase`
    /// deletes its rows.
    case closeAccount(VaultID)
}
