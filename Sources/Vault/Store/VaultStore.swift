package import VaultFormat

/// Storage of vaults' rows. Decrypts nothing.
package protocol VaultStore: Sendable {
    /// Reads the current version of a part with the reader's wrap. Agents have no wraps of trashed entries. Looks up by key, fast
    /// enough not to suspend. For an agent a part without a grant takes the same work as a missing one.
    func part(_ part: PartID, of entry: EntryID, in vault: VaultID, for reader: Reader) throws -> StoredPart?
    /// Reads a field. Otherwise like `part`.
    func field(_ field: FieldID, of entry: EntryID, in vault: VaultID, for reader: Reader) throws -> FoundField?
    /// Reads an entry whose title the reader can open. For an agent any other entry takes the same work as a missing one.
    func entry(_ id: EntryID, in vault: VaultID, for reader: Reader) async throws -> StoredEntry?
    /// Reads an entry's row only.
    func entryRow(_ id: EntryID, in vault: VaultID) throws -> EntryRow?
    /// Lists entries after `order` in the order of their creation, whose title the reader can open.
    func entries(
        in vault: VaultID, for reader: Reader, state: EntryState, after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry>
    /// The same for entries that have all of the terms.
    func entries(
        in vault: VaultID, for reader: Reader, terms: [[UInt8]], after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry>
    /// Lists every active entry that has the term.
    func entryIDs(in vault: VaultID, term: [UInt8]) async throws -> [EntryID]
    /// Lists every value row of an entry without the secret box, oldest first, for its history.
    func history(of entry: EntryID, in vault: VaultID) async throws -> [(place: FieldPlace, at: Int64, by: PrincipalID)]
    /// Lists values of an entry that no version from `version` on contains, oldest first. Of the owner's values only those older
    /// than the owner's last `owners` versions, so that versions by agents displace only versions by agents.
    ///
    /// `author`: Only values by this author; nil for all.
    func superseded(
        in entry: EntryID, before version: Int, owners: Int, by author: PrincipalID?, limit: Int
    ) async throws -> [FieldPlace]
    /// Reads the newest version of a part that is not newer than `version`.
    func part(
        _ part: PartID, of entry: EntryID, in vault: VaultID, for holder: HolderID, notAfter version: Int
    ) async throws -> StoredPart?
    /// The agents that may read a current version, by part.
    func readers(of entry: EntryID, in vault: VaultID) async throws -> [PartID: Set<PrincipalID>]
    /// The places of current versions that the agent may read. Visits all entries of the vault.
    func places(of agent: PrincipalID, in vault: VaultID) async throws -> Set<FieldPlace>
    /// Lists a vault's agents with their records, in the order of their ids.
    func agents(
        of vault: VaultID, for owner: HolderID, after id: PrincipalID?, limit: PageLimit
    ) async throws -> Page<StoredAgent>
    func agent(_ id: PrincipalID, of vault: VaultID, for owner: HolderID) async throws -> StoredAgent?
    /// Reads an agent's row only, without public key and record, so that a damaged record does not prevent pausing. Nil for a revoked
    /// agent.
    func agentRow(_ id: PrincipalID, in vault: VaultID) throws -> StoredAgent?
    /// Reads the records of agents, including the name records of revoked ones. Other ids have none.
    func agentRecords(_ ids: Set<PrincipalID>, for owner: HolderID) async throws -> [PrincipalID: StoredPart]
    /// Lists every agent's undamaged row, without public keys and records.
    func agentRows(of vault: VaultID) async throws -> [StoredAgent]
    func usage(of vault: VaultID) async throws -> VaultUsage
    /// The current key holders of the owner and of all agents.
    func holders(of vault: VaultID) async throws -> [HolderRow]
    /// Whether the principal is an active agent, with its policy as it was, or the vault's current owner with a session that has not
    /// ended.
    func holds(_ principal: Principal) async throws -> Bool
    func item(_ item: OwnerItem, of holder: HolderID, in vault: VaultID) throws -> [UInt8]?
    /// The state of the vault's l2Key; nil for a closed account.
    func l2State(of vault: VaultID) throws -> L2State?
    func l2Entry(_ id: EntryID, in vault: VaultID) throws -> L2EntryRow?
    /// Lists entries whose L2 key is of an older generation than `generation`, in the order of their ids.
    func l2Entries(
        of vault: VaultID, before generation: Int, after id: EntryID?, limit: Int
    ) async throws -> Page<EntryID>
    /// Lists an entry's L2 values of all versions after one, by field and version.
    func l2Values(
        of entry: EntryID, in vault: VaultID, after last: L2Version?, limit: PageLimit
    ) async throws -> Page<L2StoredValue>
    /// The same without the secret boxes, all of them.
    func l2Sizes(of entry: EntryID, in vault: VaultID) async throws -> [L2ValueSize]
    /// The vault's encrypted audit key.
    func auditKey(of vault: VaultID) throws -> [UInt8]?
    /// Lists audit lines of a vault before `position`, newest first, each with its number in the vault.
    func auditLines(
        of vault: VaultID, before position: AuditPosition?, limit: PageLimit
    ) async throws -> Page<NumberedAuditLine>
    /// Deletes the wraps of a key holder without credentials in parts, so that other commits need not wait for thousands of rows.
    /// The next start finishes an incomplete deletion.
    ///
    /// - Returns: Whether all were deleted.
    @discardableResult
    func clear(_ holder: HolderID) async -> Bool
    /// Ends a paused agent's reading of these fields and deletes their wraps, in parts.
    ///
    /// `line`: The audit line of a part with this number of fields.
    /// `hasUrgentWaiter`: Whether an urgent change waits for the vault. The deletion stops then if disk space is low, because each
    /// part waits for a truncation of the WAL.
    ///
    /// - Returns: Whether all were deleted; false when space ran out.
    /// - Throws: `VaultError.readOnly` when a part could not be written.
    func drop(
        _ places: [FieldPlace], of agent: PrincipalID, line: (Int) throws -> SealedAuditLine,
        hasUrgentWaiter: @Sendable () -> Bool
    ) async throws -> Bool
    /// Maximum wraps that one commit may delete; fewer while disk space is low.
    var mostDropped: Int { get }
    /// Truncates the WAL, so that deleted data is not readable there either. If a reader prevents it, `sweep` retries.
    ///
    /// - Returns: Whether it was truncated.
    @discardableResult
    func truncateWAL() async -> Bool
    /// Performs all mutations and appends the lines, atomically. Durable when it returns.
    func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine]) async throws
}

extension VaultStore {
    /// The L1 fields whose values an agent may read, in order.
    func readable(by agent: PrincipalID, in vault: VaultID) async throws -> [FieldPlace] {
        try await places(of: agent, in: vault).filter { $0.tier == .l1 }
            .sorted { ($0.entry, $0.field) < ($1.entry, $1.field) }
    }
}

/// The principal for which rows are read, with the key holder whose wraps it opens and its visibility.
package struct Reader: Sendable {
    package let principal: PrincipalID
    package let holder: HolderID
    package let visibility: Visibility

    package init(_ principal: Principal) {
        self.principal = principal.id
        holder = principal.holder.id
        visibility = principal.visibility
    }
}

/// The limit of a page: a number of rows, and a number of bytes after which no further row is added.
package struct PageLimit: Sendable {
    package var rows: Int
    package var bytes: Int

    package init(rows: Int, bytes: Int = 1 << 20) {
        self.rows = rows
        self.bytes = bytes
    }
}

/// A page of a list.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Whether more may follow.
    package var hasMore: Bool

    package init(items: [Item], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }
}
