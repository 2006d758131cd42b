/// A value as it rests: a box under its data key, or a client's envelope.
package struct StoredValue: Sendable {
    package let place: FieldPlace
    package let box: [UInt8]
    /// Unix seconds.
    package let written: Int64
    package let author: HolderID

    package init(place: FieldPlace, box: [UInt8], written: Int64, author: HolderID) {
        self.place = place
        self.box = box
        self.written = written
        self.author = author
    }
}

/// A value and one holder's wrap of its key, if it has one. L2 values have none.
package struct StoredPart: Sendable {
    package let value: StoredValue
    package let wrap: Wrap?

    package init(value: StoredValue, wrap: Wrap?) {
        self.value = value
        self.wrap = wrap
    }
}

/// A field's current value without the value: where it stands, and one holder's wrap of its key, if it has one.
package struct StoredField: Sendable {
    package let place: FieldPlace
    package let wrap: Wrap?

    package init(place: FieldPlace, wrap: Wrap?) {
        self.place = place
        self.wrap = wrap
    }
}

/// An entry's row and metadata as one holder sees them. Values are not in it: a list must not read them.
package struct StoredEntry: Sendable {
    package let row: EntryRow
    /// Title and details, as far as the holder has them.
    package let title: StoredPart?
    package let details: StoredPart?
    /// Every current field for the owner; for an agent those that it holds.
    package let fields: [FieldID: StoredField]

    package init(row: EntryRow, title: StoredPart?, details: StoredPart?, fields: [FieldID: StoredField]) {
        self.row = row
        self.title = title
        self.details = details
        self.fields = fields
    }

    /// Bytes that reading it took, for the bounds of a page.
    package var byteCount: Int {
        (title?.value.box.count ?? 0) + (details?.value.box.count ?? 0) + fields.count * 128
    }
}

/// How much of a list is read at once: so many rows, and no further row once there are so many bytes.
package struct PageLimit: Sendable {
    package var rows: Int
    package var bytes: Int

    package init(rows: Int, bytes: Int = 1 << 20) {
        self.rows = rows
        self.bytes = bytes
    }
}

/// Some of a list.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Whether more may follow.
    package var hasMore: Bool

    package init(items: [Item], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }
}

package struct EntryRow: Sendable {
    package let id: EntryID
    package let vault: VaultID
    package var version: Int
    package var state: EntryState
    package var created: Int64
    package var updated: Int64
    package var deleted: Int64?
    package var depositor: HolderID?
    /// Grows with every new entry of the file.
    package let order: Int64

    package init(
        id: EntryID, vault: VaultID, version: Int, state: EntryState, created: Int64, updated: Int64,
        deleted: Int64? = nil, depositor: HolderID? = nil, order: Int64 = 0
    ) {
        self.id = id
        self.vault = vault
        self.version = version
        self.state = state
        self.created = created
        self.updated = updated
        self.deleted = deleted
        self.depositor = depositor
        self.order = order
    }
}

/// Where a vault rests. Knows rows; opens nothing.
package protocol VaultStore: Sendable {
    /// The current value of a field, with the reader's wrap; agents have none of what is in the trash. By key, so quick
    /// enough not to suspend. For an agent a field that it was not granted takes the work of one that is not there.
    func part(_ field: FieldID, of entry: EntryID, in vault: VaultID, for reader: Reader) throws -> StoredPart?
    /// An entry of which the reader can open at least the title; for an agent, otherwise, the work of one that is not
    /// there.
    func entry(_ id: EntryID, in vault: VaultID, for reader: Reader) async throws -> StoredEntry?
    /// An entry's row alone.
    func entryRow(_ id: EntryID, in vault: VaultID) async throws -> EntryRow?
    /// Entries in the order of their creation, after `order`, of which the reader can open at least the title.
    func entries(
        in vault: VaultID, for reader: Reader, state: EntryState, after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry>
    /// The same, of those that carry every one of the terms.
    func entries(
        in vault: VaultID, for reader: Reader, terms: [[UInt8]], after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry>
    /// Every active entry that carries the term.
    func entryIDs(in vault: VaultID, term: [UInt8]) async throws -> [EntryID]
    /// Every value row of an entry without its box: what its history is made of, oldest first.
    func history(of entry: EntryID, in vault: VaultID) async throws -> [(place: FieldPlace, at: Int64, by: HolderID)]
    /// Values of an entry that no version from `version` on needs, oldest first. Of the owner's only those that are older
    /// than the owner's last `owners` versions: what agents wrote pushes out only what agents wrote.
    ///
    /// `author`: Whose alone; nil for everybody's.
    func superseded(
        in entry: EntryID, before version: Int, owners: Int, by author: HolderID?, limit: Int
    ) async throws -> [FieldPlace]
    /// The newest value not younger than `version`.
    func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for holder: HolderID, notAfter version: Int
    ) async throws -> StoredPart?
    /// The agents that hold a wrap of a current version, by field.
    func readers(of entry: EntryID) async throws -> [FieldID: Set<HolderID>]
    /// Current places of which the holder has a wrap.
    func places(of holder: HolderID) async throws -> Set<FieldPlace>
    /// The same of L1 fields alone, in their order, after one of them.
    func readable(by holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [FieldPlace]
    /// A vault's agents with their records, in the order of their ids.
    func agents(
        of vault: VaultID, for owner: HolderID, after id: HolderID?, limit: PageLimit
    ) async throws -> Page<StoredAgent>
    func agent(_ id: HolderID, of vault: VaultID, for owner: HolderID) async throws -> StoredAgent?
    /// How often an agent's token was used; nil for one that is no more.
    func uses(of agent: HolderID) async throws -> Int?
    /// The records of agents, also what is left of those that are no more. Other ids have none.
    func agentRecords(_ ids: Set<HolderID>, for owner: HolderID) async throws -> [HolderID: StoredPart]
    /// Every agent's row that can be read, without public keys and records.
    func agentRows(of vault: VaultID) async throws -> [StoredAgent]
    func usage(of vault: VaultID) async throws -> VaultUsage
    func holders(of vault: VaultID) async throws -> [HolderRow]
    /// Whether this is an active agent of the vault or its present owner. Reads no other holder: a damaged one is no
    /// obstacle.
    func hasHolder(_ id: HolderID, in vault: VaultID, policy: [UInt8]?) async throws -> Bool
    func item(_ item: OwnerItem, of holder: HolderID) async throws -> [UInt8]?
    func hasCredential(_ id: CredentialID) throws -> Bool
    /// The box of the vault's audit key.
    func auditKey(of vault: VaultID) throws -> [UInt8]?
    /// Audit lines of a vault, newest first, before `position`, each with its number in the vault.
    func auditLines(
        of vault: VaultID, before position: AuditPosition?, limit: PageLimit
    ) async throws -> Page<NumberedAuditLine>
    /// Deletes the wraps of a holder that nobody can open any more, in parts, so that nobody else's commit waits for
    /// thousands of rows. What it leaves undone is done at the next start.
    func clear(_ holder: HolderID) async
    /// Deletes wraps of an agent that is paused meanwhile, in parts.
    ///
    /// - Throws: `VaultError.readOnly` when there is no room for what is left.
    func drop(_ places: [FieldPlace], of agent: HolderID) async throws
    /// How many wraps one commit may delete: fewer where there is little room.
    var mostDropped: Int { get }
    /// Makes what was deleted unreadable in the log beside the file too, as soon as no reader holds it. What could not
    /// be done now is owed, and done by `sweep`.
    func forgetDeleted() async
    /// Performs all steps and appends the lines, or nothing. On disk when it returns.
    func commit(_ steps: [Step], _ lines: [SealedAuditLine]) async throws
}

extension VaultStore {
    /// Whether the caller's holder is an agent of the vault, or its present owner with a session that was not ended.
    package func holds(_ caller: Caller) async throws -> Bool {
        if case .owner(let session, _) = caller.role {
            guard try hasCredential(session) else { return false }
        }
        return try await hasHolder(caller.holder.id, in: caller.vault, policy: caller.policyBox)
    }
}

/// For whom rows are read.
package struct Reader: Sendable {
    package let holder: HolderID
    /// An owner sees every row of the vault, an agent those that it has a wrap for.
    package let isOwner: Bool

    package init(_ caller: Caller) {
        holder = caller.holder.id
        isOwner = caller.isOwner
    }

    package init(holder: HolderID, isOwner: Bool) {
        self.holder = holder
        self.isOwner = isOwner
    }
}

/// A line with its number among its vault's lines, from 1: the log's own would show a tenant what the others do.
package struct NumberedAuditLine: Sendable {
    package let number: Int64
    package let line: StoredAuditLine

    package init(number: Int64, line: StoredAuditLine) {
        self.number = number
        self.line = line
    }
}

/// A place in a vault's audit log.
package struct AuditPosition: Equatable, Sendable {
    /// In the whole log; never shown.
    package let sequence: Int64
    /// Among the vault's lines, from 1.
    package let number: Int64

    package init(sequence: Int64, number: Int64) {
        self.sequence = sequence
        self.number = number
    }
}

/// Something of the owner's, boxed under his wrap key.
package enum OwnerItem: String, Sendable {
    case totp
    case pendingTOTP = "totp-pending"
    case index

    package func context(vault: VaultID, holder: HolderID) -> Context {
        Context("item", vault.bytes, holder.bytes, Array(rawValue.utf8))
    }
}

/// One thing that a commit does. A change is a list of these: a value, to be looked at before it is performed.
package enum Step: Sendable {
    /// Throws `callerGone` unless this is an active agent, or the owner with an open session.
    ///
    /// `policy`: An agent's, as its request met it: nothing that was allowed then and is not now.
    case expectCaller(HolderID, session: CredentialID?, policy: [UInt8]?)
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
    case settleWrap(Wrap)
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
    /// Throws `quotaExceeded` when all steps together take the vault beyond a quota.
    case stayWithin(Quotas, VaultID)
    /// Says that all steps together leave less than there was, to read or to do: what they write stands in the place of what
    /// gave more. Nobody's access is wider than before, and something is taken away.
    case narrows
    /// Remembers an answer for an `Idempotency-Key`; throws `entryExists` when there is one.
    case rememberAnswer(IdempotentAnswer)
}

package struct HolderRow: Sendable {
    package let id: HolderID
    package let vault: VaultID
    package let isOwner: Bool
    /// Boxed in the node tier.
    package let publicKey: [UInt8]

    package init(id: HolderID, vault: VaultID, isOwner: Bool, publicKey: [UInt8]) {
        self.id = id
        self.vault = vault
        self.isOwner = isOwner
        self.publicKey = publicKey
    }
}

/// What was answered to a request with an `Idempotency-Key`, boxed under the caller's wrap key.
package struct IdempotentAnswer: Sendable {
    package let holder: HolderID
    /// SHA-256 of the key.
    package let key: [UInt8]
    package let box: [UInt8]
    /// Unix seconds.
    package let created: Int64

    package init(holder: HolderID, key: [UInt8], box: [UInt8], created: Int64) {
        self.holder = holder
        self.key = key
        self.box = box
        self.created = created
    }
}
