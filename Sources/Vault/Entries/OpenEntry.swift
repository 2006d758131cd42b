import Crypto
import VaultFormat

/// An entry with decrypted metadata, as visible to a principal.
///
/// The owner's field list comes from the details. An agent's comes from the `about` parts that it can open.
struct OpenEntry {
    let stored: StoredEntry
    let title: TitleText
    /// Nil for an agent.
    let details: DetailsText?
    let fields: [EntryView.FieldView]
    /// Bytes that were read.
    let byteCount: Int

    init(_ stored: StoredEntry, by principal: Principal, in entries: Entries) throws {
        self.stored = stored
        let root = entries.keys.root
        guard let titlePart = stored.title, titlePart.wrap != nil else { throw VaultError.noSuchEntry }
        title = try TitleText(plaintext: try titlePart.open(by: principal.holder, root: root))
        guard principal.visibility == .wholeVault else {
            details = nil
            var labels: [EntryView.FieldView] = []
            var count = stored.byteCount
            for (id, field) in stored.fields {
                guard
                    let part = try entries.store.part(
                        PartID(id, .about), of: stored.row.id, in: principal.vault, for: Reader(principal))
                else { continue }
                count += part.value.box.count
                let about = try AboutText(plaintext: try part.open(by: principal.holder, root: root))
                labels.append(
                    EntryView.FieldView(
                        id: id, label: about.label, kind: about.kind, tier: .l1, version: field.place.version))
            }
            fields = labels.sorted { ($0.label, $0.id) < ($1.label, $1.id) }
            byteCount = count
            return
        }
        guard let part = stored.details else { throw VaultError.damaged("an entry without details") }
        let details = try DetailsText(plaintext: try part.open(by: principal.holder, root: root))
        fields = try details.fields.map { field in
            guard let id = FieldID(text: field.id), let tier = Tier(rawValue: field.tier),
                let stored = stored.fields[id], stored.place.tier == tier
            else { throw VaultError.damaged("details that name a missing field") }
            return EntryView.FieldView(
                id: id, label: field.label, kind: field.kind, tier: tier, version: stored.place.version)
        }
        self.details = details
        byteCount = stored.byteCount
    }

    var view: EntryView {
        let row = stored.row
        return EntryView(
            id: row.id, version: row.version, state: row.state, created: row.created, updated: row.updated,
            deleted: row.deleted, title: title.title, type: title.type,
            details: details.map { EntryView.Details(urls: $0.urls, tags: $0.tags, notes: $0.notes) },
            fields: fields, depositor: row.depositor, l2: stored.l2, order: row.order)
    }
}

extension StoredField {
    /// Opens the data key with the key holder's wrap.
    func dataKey(by holder: HolderKey, root: RootKeys) throws -> SymmetricKey {
        guard let wrap else { throw VaultError.noSuchField }
        return try holder.unwrap(wrap, root: root)
    }
}

extension StoredPart {
    /// The part's place and wrap.
    var field: StoredField { StoredField(place: value.place, wrap: wrap) }

    /// Opens the data key with the key holder's wrap.
    func dataKey(by holder: HolderKey, root: RootKeys) throws -> SymmetricKey {
        try field.dataKey(by: holder, root: root)
    }

    /// Decrypts a metadata or L1 part.
    func open(by holder: HolderKey, root: RootKeys) throws -> [UInt8] {
        try open(with: try dataKey(by: holder, root: root))
    }

    /// Decrypts the part with its data key.
    func open(with key: SymmetricKey) throws -> [UInt8] {
        try Box.open(value.box, key: key, context: value.place.valueContext)
    }
}
