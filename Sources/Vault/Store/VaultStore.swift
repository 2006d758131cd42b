package import VaultFormat

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
    /// Of its row alone: a damaged record must not keep anybody from pausing it. Nil for an agent that is no more.
    func state(of agent: HolderID, in vault: VaultID) throws -> StoredAgent.State?
    /// How often an agent's token was used; nil for one that is no more.
    func uses(of agent: HolderID) throws -> Int?
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
    /// `isAwaited`: Whether something urgent waits for the vault. With little room, where each part waits for the log to be
    /// truncated, nothing more is deleted then.
    ///
    /// - Returns: Whether all are deleted; not when there is no room for what is left.
    /// - Throws: `VaultError.readOnly` when the disk refuses a part.
    func drop(
        _ places: [FieldPlace], of agent: HolderID, isAwaited: @Sendable () -> Bool
    ) async throws -> Bool
    /// How many wraps one commit may delete: fewer where there is little room.
    var mostDropped: Int { get }
    /// Makes what was deleted unreadable in the log beside the file too, as soon as no reader holds it. What could not
    /// be done now is owed, and done by `sweep`.
    func truncateWAL() async
    /// Performs all mutations and appends the lines, or nothing. On disk when it returns.
    func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine]) async throws
}

extension VaultStore {
    /// Whether the principal's holder is an agent of the vault, or its present owner with a session that was not ended.
    package func holds(_ principal: Principal) async throws -> Bool {
        if let session = principal.session, try !hasCredential(session) { return false }
        return try await hasHolder(principal.holder.id, in: principal.vault, policy: principal.policyBox)
    }
}

/// For whom rows are read.
package struct Reader: Sendable {
    package let holder: HolderID
    package let visibility: Visibility

    package init(_ principal: Principal) {
        holder = principal.holder.id
        visibility = principal.visibility
    }

    package init(holder: HolderID, visibility: Visibility) {
        self.holder = holder
        self.visibility = visibility
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
