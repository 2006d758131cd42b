import Crypto
import VaultFormat

extension Entries {
    /// The result of applying an edit: the mutations to perform and the resulting entry.
    struct Written {
        var mutations: [Mutation]
        var changed: [PartID]
        var removed: [PartID]
        var readers: [String: [String]]
        /// Keys to be sealed to agents after the commit.
        var later: [Sharing]
        /// Whether the edit only removes fields, tags, URLs or notes.
        var narrows: Bool
        var view: EntryView
    }

    /// Computes an edit by the owner: merges it with the current entry, encrypts what changed, and shares each part with exactly
    /// the agents whose grants match afterwards.
    ///
    /// `open`: The current entry; nil for a new one.
    /// `row`: The entry's new row.
    func apply(_ edit: EntryEdit, to open: OpenEntry?, row: EntryRow, as principal: Principal) async throws -> Written {
        let title = TitleText(
            title: edit.title ?? open?.title.title ?? "", type: edit.type ?? open?.title.type ?? .login)
        guard !title.title.isEmpty else { throw VaultError.invalid("title", "must not be empty") }
        var details = open?.details ?? DetailsText()
        details.urls = edit.urls ?? details.urls
        details.tags = edit.tags ?? details.tags
        details.notes = edit.notes ?? details.notes
        let merged = try merge(edit, with: open)
        details.fields = merged.fields.map {
            DetailsText.Field(id: $0.id.text, label: $0.label, kind: $0.kind, tier: $0.tier.rawValue)
        }

        let narrows =
            title == open?.title && merged.fields.allSatisfy(\.isUnchanged)
            && open?.details.map { details.narrows($0) } ?? false
        let agents = try await agentReaders(of: row.id, tags: details.tags, merged.fields, as: principal)
        let present = open == nil ? [:] : try await store.readers(of: row.id, in: row.vault)
        var writer = EntryWriter(
            vault: row.vault, entry: row.id, version: row.version, owner: principal.holder, root: keys.root,
            time: row.updated, mostSealed: narrows ? 0 : EntryLimits.sealedKeys)
        for field in merged.removed {
            writer.remove(PartID(field))
            if open?.stored.abouts[field] != nil { writer.remove(PartID(field, .about)) }
        }
        var anyField: Set<PrincipalID> = []
        for field in merged.fields {
            try await WorkQueue.yieldIfNeeded()
            let readers = agents.filter { $0.fields.contains(field.id) }
            anyField.formUnion(readers.map(\.id))
            try writer.write(field, now: present, for: readers)
        }
        let titleReaders = agents.filter { anyField.contains($0.id) }
        if title != open?.title {
            try writer.write(try title.plaintext(), .title, tier: .metadata, readers: titleReaders)
        } else if let part = open?.stored.title {
            try writer.share(part.field, now: present[.title] ?? [], with: titleReaders)
        }
        if details != open?.details {
            try writer.write(try details.plaintext(), .details, tier: .metadata, readers: [])
        }
        let leavesL2 = open.map { open in
            merged.fields.contains { $0.tier == .l1 && open.stored.fields[$0.id]?.place.tier == .l2 }
        }
        let l2 = try await l2Row(
            of: edit, merged.fields, row, present: open?.stored.l2, leavesL2: leavesL2 ?? false)
        let index = try await index(as: principal)
        return Written(
            mutations: writer.mutations + (l2.map { [.putL2Entry($0)] } ?? []) + [
                .replaceTerms(
                    row.id, vault: row.vault, index.terms(title: title.title, urls: details.urls, tags: details.tags))
            ],
            changed: writer.changed,
            removed: writer.removed,
            readers: writer.readers,
            later: writer.later,
            narrows: narrows,
            view: EntryView(
                id: row.id, version: row.version, state: row.state, created: row.created, updated: row.updated,
                title: title.title, type: title.type,
                details: .init(urls: details.urls, tags: details.tags, notes: details.notes),
                fields: merged.fields.map { field in
                    EntryView.FieldView(
                        id: field.id, label: field.label, kind: field.kind, tier: field.tier,
                        version: field.version(ifWritten: row.version))
                },
                l2: l2 ?? open?.stored.l2, order: row.order))
    }

    /// A resulting field, and what must be written for it.
    struct MergedField {
        var id: FieldID
        var label: String
        var kind: FieldKind
        var tier: Tier
        var write: Write
        var writeAbout: WriteAbout

        enum Write {
            case value(String)
            case envelope([UInt8])
            case unchanged(StoredField)
        }

        enum WriteAbout {
            case text(AboutText)
            case unchanged(StoredField)
            case removed
            /// An L2 field, whose label is in the details, has no such part.
            case none
        }

        var isUnchanged: Bool {
            switch (write, writeAbout) {
            case (.unchanged, .unchanged), (.unchanged, .none): true
            default: false
            }
        }

        func version(ifWritten version: Int) -> Int {
            if case .unchanged(let part) = write { part.place.version } else { version }
        }
    }

    /// Computes the resulting fields. A patch keeps the order of the old fields and appends new ones; a replacement defines the
    /// order.
    private func merge(
        _ edit: EntryEdit, with open: OpenEntry?
    ) throws -> (fields: [MergedField], removed: [FieldID]) {
        var ranked: [(rank: Int, field: MergedField)] = []
        var removed: [FieldID] = []
        var named: [FieldID: (rank: Int, field: EntryEdit.Field)] = [:]
        for (rank, field) in edit.fields.enumerated() { if let id = field.id { named[id] = (rank, field) } }
        let existing = open?.fields ?? []
        for (rank, old) in existing.enumerated() {
            guard let part = open?.stored.fields[old.id] else { throw VaultError.damaged("a field without a value") }
            let change = named[old.id]
            if change?.field.isRemoved ?? edit.replacesFields {
                removed.append(old.id)
                continue
            }
            let newRank = edit.replacesFields ? change?.rank : nil
            ranked.append((newRank ?? rank, try merged(old, part, open?.stored.abouts[old.id], change?.field)))
        }
        for (rank, field) in edit.fields.enumerated() where !existing.contains(where: { $0.id == field.id }) {
            guard !field.isRemoved else { throw VaultError.noSuchField }
            ranked.append((edit.replacesFields ? rank : existing.count + rank, try added(field)))
        }
        let fields = ranked.sorted { $0.rank < $1.rank }.map(\.field)
        guard fields.count <= EntryLimits.fields else {
            throw VaultError.invalid("fields", "must be at most \(EntryLimits.fields)")
        }
        return (fields, removed)
    }

    private func merged(
        _ old: EntryView.FieldView, _ field: StoredField, _ about: StoredField?, _ change: EntryEdit.Field?
    ) throws -> MergedField {
        let tier = change?.tier ?? old.tier
        let text = AboutText(label: change?.label ?? old.label, kind: change?.kind ?? old.kind)
        var merged = MergedField(
            id: old.id, label: text.label, kind: text.kind, tier: tier, write: .unchanged(field), writeAbout: .none)
        switch (tier, about) {
        case (.l1, let about?) where (text.label, text.kind) == (old.label, old.kind):
            merged.writeAbout = .unchanged(about)
        case (.l1, _): merged.writeAbout = .text(text)
        case (_, .some): merged.writeAbout = .removed
        case (_, nil): break
        }
        switch (change?.content, tier) {
        case (.value(let value)?, .l1): merged.write = .value(value)
        case (.envelope(let box)?, .l2): merged.write = .envelope(box)
        case (nil, _) where tier == old.tier:
            break
        default:
            throw VaultError.invalid(
                "fields.tier",
                "must match the content: 1 takes a value, 2 an envelope; a change of tier requires new content")
        }
        return merged
    }

    private func added(_ field: EntryEdit.Field) throws -> MergedField {
        let tier = field.tier ?? .l1
        guard let label = field.label else { throw VaultError.invalid("fields.label", "is required") }
        let kind = field.kind ?? (tier == .l2 ? .secret : .text)
        switch (field.content, tier) {
        case (.value(let value)?, .l1):
            return MergedField(
                id: field.id ?? .random(), label: label, kind: kind, tier: tier, write: .value(value),
                writeAbout: .text(AboutText(label: label, kind: kind)))
        case (.envelope(let box)?, .l2):
            guard let id = field.id else {
                throw VaultError.invalid(
                    "fields.id", "is required for an L2 field, because its envelope is bound to the id")
            }
            return MergedField(
                id: id, label: label, kind: kind, tier: tier, write: .envelope(box), writeAbout: .none)
        default:
            throw VaultError.invalid("fields", "must have a value in tier 1 and an envelope in tier 2")
        }
    }

    /// The owner's search index.
    func index(as principal: Principal) async throws -> BlindIndex {
        guard let box = try store.item(.index, of: principal.holder.id, in: principal.vault) else {
            // A key holder that was replaced a moment ago has no items any more.
            throw try await store.holds(principal)
                ? VaultError.damaged("an owner without an index key") : .principalGone
        }
        let context = OwnerItem.index.context(vault: principal.vault, holder: principal.holder.id)
        return BlindIndex(key: try Box.openKey(box, key: principal.holder.wrapKey, context: context))
    }

    /// The agents with the fields that their grants cover. Decrypts a few records at a time, because each may have 64 KB, and keeps
    /// only the covered field ids.
    private func agentReaders(
        of entry: EntryID, tags: [String], _ fields: [MergedField], as principal: Principal
    ) async throws -> [AgentReader] {
        var readers: [AgentReader] = []
        var last: PrincipalID?
        while true {
            let page = try await store.agents(
                of: principal.vault, for: principal.holder.id, after: last, limit: PageLimit(rows: Self.agentsAtATime))
            for agent in page.items {
                guard let record = agent.record else { throw VaultError.damaged("an agent without a record") }
                let text = try AgentText(plaintext: try record.open(by: principal.holder, root: keys.root))
                let scope = GrantIndex(text.grants).scope(of: entry, tags: tags)
                let covered = fields.filter { $0.tier == .l1 && scope.covers(field: $0.id, label: $0.label) }
                readers.append(
                    AgentReader(
                        id: agent.id, fields: Set(covered.map(\.id)),
                        opensValues: try keys.policy(of: agent).opensValues,
                        publicKey: try HolderPublicKey(agent, keys: keys)))
                last = agent.id
            }
            guard page.hasMore else { return readers }
            try await WorkQueue.yieldIfNeeded()
        }
    }

    private static let agentsAtATime = 4
}
