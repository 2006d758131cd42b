import Crypto
import VaultFormat

/// Computes what an owner's change writes: new secret boxes, wraps for their readers, and the audit line's content. Performs no
/// writes itself.
struct EntryWriter {
    let vault: VaultID
    let entry: EntryID
    let version: Int
    let owner: HolderKey
    let root: RootKeys
    let time: Int64

    private(set) var mutations: [Mutation] = []
    private(set) var changed: [FieldID] = []
    private(set) var readers: [String: [String]] = [:]
    /// Keys to be sealed after the change, beyond the limit of one commit.
    private(set) var later: [Sharing] = []
    /// Keys sealed to agents so far.
    private var sealed = 0
    private let mostSealed: Int

    /// `mostSealed`: Maximum keys to seal; the rest is added to `later`.
    init(
        vault: VaultID, entry: EntryID, version: Int, owner: HolderKey, root: RootKeys, time: Int64, mostSealed: Int
    ) {
        self.vault = vault
        self.entry = entry
        self.version = version
        self.owner = owner
        self.root = root
        self.time = time
        self.mostSealed = mostSealed
    }

    /// Adds a new version of a part under a new data key, for the owner and these agents.
    mutating func write(_ plaintext: [UInt8], _ field: FieldID, tier: Tier, readers: [AgentReader]) throws {
        let place = place(field, tier)
        let key = SymmetricKey(size: .bits256)
        let box = Box.seal(plaintext, key: key, context: place.valueContext)
        mutations.append(.putValue(StoredValue(place: place, box: box, written: time, author: owner.id)))
        mutations.append(.dropAgentWraps(entry, field, owner: owner.id, vault: vault))
        mutations.append(.putWrap(owner.wrap(key, at: place)))
        try seal(key, at: place, to: readers, of: readers)
        changed.append(field)
    }

    /// Adds a client's envelope, which has neither data key nor wraps.
    mutating func write(envelope: [UInt8], _ field: FieldID) {
        let place = place(field, .l2)
        // A field that was in tier L1 loses its readers.
        mutations.append(.dropAgentWraps(entry, field, owner: owner.id, vault: vault))
        mutations.append(.putValue(StoredValue(place: place, box: envelope, written: time, author: owner.id)))
        note(field, [])
        changed.append(field)
    }

    /// Leaves a part's value unchanged and makes exactly these agents its readers.
    mutating func share(_ part: StoredField, now present: Set<HolderID>, with readers: [AgentReader]) throws {
        let field = part.place.field
        let wanted = Set(readers.map(\.holder))
        guard wanted != present else { return }
        for holder in present.subtracting(wanted).sorted() {
            mutations.append(.dropWrap(entry, field, holder, vault: vault))
        }
        let new = readers.filter { !present.contains($0.holder) }
        guard !new.isEmpty else { return note(field, readers) }
        try seal(try part.dataKey(by: owner, root: root), at: part.place, to: new, of: readers)
    }

    mutating func remove(_ field: FieldID) {
        mutations.append(.dropAgentWraps(entry, field, owner: owner.id, vault: vault))
        mutations.append(.removeField(entry, field, vault: vault))
        note(field, [])
    }

    private mutating func seal(
        _ key: SymmetricKey, at place: FieldPlace, to new: [AgentReader], of readers: [AgentReader]
    ) throws {
        let sharing = Sharing(place: place, key: key, new: new, readers: readers.map(\.holder.text).sorted())
        guard sealed + new.count <= mostSealed else {
            let absent = Set(new.map(\.holder))
            note(place.field, readers.filter { !absent.contains($0.holder) })
            return later.append(sharing)
        }
        sealed += new.count
        mutations += try sharing.mutations(root: root)
        note(place.field, readers)
    }

    private mutating func note(_ field: FieldID, _ readers: [AgentReader]) {
        self.readers[field.text] = readers.map(\.holder.text).sorted()
    }

    private func place(_ field: FieldID, _ tier: Tier) -> FieldPlace {
        FieldPlace(vault: vault, entry: entry, field: field, tier: tier, version: version)
    }
}

/// An agent with the fields of an entry that its grants cover.
struct AgentReader {
    let holder: HolderID
    /// The entry's fields that its grants cover.
    let fields: Set<FieldID>
    let publicKey: HolderPublicKey
}

extension VaultError {
    static var tooManySeals: VaultError {
        .invalid(
            "fields",
            "must not require more than \(EntryLimits.sealedKeys) keys for the agents that read them; change fewer fields at a time"
        )
    }
}
