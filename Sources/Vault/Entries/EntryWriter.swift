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
    private(set) var changed: [PartID] = []
    private(set) var removed: [PartID] = []
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
    mutating func write(_ plaintext: [UInt8], _ part: PartID, tier: Tier, readers: [AgentReader]) throws {
        let place = place(part, tier)
        let key = SymmetricKey(size: .bits256)
        let box = Box.seal(plaintext, key: key, context: place.valueContext)
        mutations.append(.putValue(StoredValue(place: place, box: box, written: time, author: vault.owner)))
        mutations.append(.dropAgentWraps(entry, part, owner: owner.id, vault: vault))
        mutations.append(.putWrap(owner.wrap(key, at: place)))
        try seal(key, at: place, to: readers, of: readers)
        changed.append(part)
    }

    /// Adds what a field requires, for exactly these agents.
    ///
    /// `present`: The agents that can open each part now.
    mutating func write(
        _ field: Entries.MergedField, now present: [PartID: Set<PrincipalID>], for readers: [AgentReader]
    ) throws {
        let (value, about) = (PartID(field.id), PartID(field.id, .about))
        let valueReaders = readers.filter(\.opensValues)
        switch field.write {
        case .value(let text):
            try write(try ValueText(value: text).plaintext(), value, tier: .l1, readers: valueReaders)
        case .envelope(let box):
            write(envelope: box, field.id)
        case .unchanged(let part) where field.tier == .l1:
            try share(part, now: present[value] ?? [], with: valueReaders)
        case .unchanged:
            break
        }
        switch field.writeAbout {
        case .text(let text): try write(try text.plaintext(), about, tier: .metadata, readers: readers)
        case .unchanged(let part): try share(part, now: present[about] ?? [], with: readers)
        case .removed: remove(about)
        case .none: break
        }
    }

    /// Adds a client's envelope, which has neither data key nor wraps.
    mutating func write(envelope: [UInt8], _ field: FieldID) {
        let part = PartID(field)
        // A field that was in tier L1 loses its readers.
        mutations.append(.dropAgentWraps(entry, part, owner: owner.id, vault: vault))
        mutations.append(
            .putValue(StoredValue(place: place(part, .l2), box: envelope, written: time, author: vault.owner)))
        note(part, [])
        changed.append(part)
    }

    /// Leaves a part's value unchanged and makes exactly these agents its readers.
    mutating func share(_ part: StoredField, now present: Set<PrincipalID>, with readers: [AgentReader]) throws {
        let id = part.place.partID
        let wanted = Set(readers.map(\.id))
        guard wanted != present else { return }
        for agent in present.subtracting(wanted).sorted() {
            mutations.append(.dropWrap(entry, id, agent, vault: vault))
        }
        let new = readers.filter { !present.contains($0.id) }
        guard !new.isEmpty else { return note(id, readers) }
        try seal(try part.dataKey(by: owner, root: root), at: part.place, to: new, of: readers)
    }

    mutating func remove(_ part: PartID) {
        mutations.append(.dropAgentWraps(entry, part, owner: owner.id, vault: vault))
        mutations.append(.removePart(entry, part, vault: vault))
        note(part, [])
        removed.append(part)
    }

    private mutating func seal(
        _ key: SymmetricKey, at place: FieldPlace, to new: [AgentReader], of readers: [AgentReader]
    ) throws {
        let sharing = Sharing(place: place, key: key, new: new, readers: readers.map(\.id.text).sorted())
        guard sealed + new.count <= mostSealed else {
            let absent = Set(new.map(\.id))
            note(place.partID, readers.filter { !absent.contains($0.id) })
            return later.append(sharing)
        }
        sealed += new.count
        mutations += try sharing.mutations(root: root)
        note(place.partID, readers)
    }

    private mutating func note(_ part: PartID, _ readers: [AgentReader]) {
        self.readers[part.text] = readers.map(\.id.text).sorted()
    }

    private func place(_ part: PartID, _ tier: Tier) -> FieldPlace {
        FieldPlace(vault: vault, entry: entry, field: part.field, part: part.part, tier: tier, version: version)
    }
}

/// An agent with the fields of an entry that its grants cover.
struct AgentReader {
    let id: PrincipalID
    /// The entry's fields that its grants cover.
    let fields: Set<FieldID>
    /// Whether it gets the keys of values, or those of labels only.
    let opensValues: Bool
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
