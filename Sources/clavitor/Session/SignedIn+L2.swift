import Console
import VaultFormat
import Wire

/// The keys of entries' L2 values, and what the list in them says about the node's answers.
extension SignedIn {
    /// Opens the key of an entry's L2 values, and compares what the node says about its fields with the list in it.
    ///
    /// - Throws: `CommandFailure` when they differ: the node may be malicious, or somebody wrote to its file.
    func l2EntryKey(of entry: EntryBody) async throws -> L2EntryKey {
        let key = try await pastL2EntryKey(of: entry)
        let gone = try key.goneFields(of: entry)
        if !gone.isEmpty, noteOnce(entry.id) {
            context.terminal.note(
                "\"\(entry.title.printable)\" had \(gone.count) more L2 \(gone.count == 1 ? "field" : "fields"), removed without the password, by you or by the node. The next change of an L2 field confirms that."
            )
        }
        return key
    }

    /// The same without a comparison, for older versions of its fields.
    func pastL2EntryKey(of entry: EntryBody) async throws -> L2EntryKey {
        guard let id = EntryID(text: entry.id) else { throw CommandFailure(.failed, "The node sent an invalid id.") }
        guard let row = entry.l2 else {
            throw CommandFailure(
                .failed, "The node sent an L2 field of \"\(entry.title.printable)\" without the entry's L2 key.")
        }
        return try await open(row, of: id)
    }

    /// Opens an entry's L2 key under the l2Key, or under the previous one while a rekey runs.
    func open(_ row: L2EntryBody, of entry: EntryID) async throws -> L2EntryKey {
        let l2Key = try await generation(of: row)
        do throws(L2Failure) {
            return try l2Key.open(row, of: entry)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func generation(of row: L2EntryBody) async throws -> L2Key {
        let present = try await l2Key()
        if row.generation == present.generation { return present }
        let pin = try owner().l2
        if row.generation == present.generation - 1, pin.allows(rowOf: row.generation) {
            if let previous = try await previousL2Key() { return previous }
        }
        throw CommandFailure(
            .refused,
            "The node sent an L2 key of generation \(row.generation); this account has generation \(present.generation).",
            hint: row.generation > present.generation
                ? "If the L2 key was replaced on another machine: clavitor login"
                : "Everything was encrypted anew since then, so this is an old copy. Inform the node's operator.")
    }

    /// The previous l2Key, while a rekey runs. After it, remembers that no older one is valid any more.
    func previousL2Key() async throws -> L2Key? {
        let present = try await l2Key()
        let status = try await l2Status()
        guard let previous = status.previous else {
            if status.generation == present.generation { try keep { $0.l2.oldest = present.generation } }
            return nil
        }
        do throws(L2Failure) {
            return try present.previous(previous)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// The generation of the l2Key at the node, and the first entries that a rekey has not reached.
    func l2Status(after cursor: String? = nil) async throws -> L2StatusBody {
        let request = NodeRequest(.get, "api/v1/account/l2").with("limit", 200).with("cursor", cursor)
        let status = try await send(request, as: L2StatusBody.self)
        try owner().l2.check(status.generation)
        return status
    }

    /// All entries that a rekey has not reached.
    func entriesToRekey() async throws -> [EntryID] {
        var ids: [EntryID] = []
        var cursor: String?
        repeat {
            let page = try await l2Status(after: cursor)
            for text in page.entries {
                guard let id = EntryID(text: text) else {
                    throw CommandFailure(.failed, "The node sent an invalid id.")
                }
                ids.append(id)
            }
            cursor = page.next
        } while cursor != nil
        return ids
    }
}

extension L2EntryKey {
    /// Compares the list of L2 fields, which only the owner can write, with what the node says about an entry.
    ///
    /// - Returns: Fields of the list that the entry does not have any more.
    /// - Throws: `CommandFailure` for a field that is L2 in one of them only, or has another version.
    func goneFields(of entry: EntryBody) throws -> [FieldID] {
        var rest = fields
        for field in entry.fields {
            guard let id = FieldID(text: field.id) else {
                throw CommandFailure(.failed, "The node sent an invalid id.")
            }
            switch (field.tier, rest.removeValue(forKey: id)) {
            case (2, field.version?), (1, nil): break
            case (1, _?):
                throw CommandFailure(
                    .refused,
                    "The node says that \"\(field.label.printable)\" is L1, but you made it L2. Its value was neither sent nor accepted.",
                    hint: "Do not trust this node; inform its operator.")
            case (_, let listed):
                throw CommandFailure(
                    .refused,
                    "The node has version \(field.version) of the L2 field \"\(field.label.printable)\"; your list of L2 fields has \(listed.map { "version \($0)" } ?? "none").",
                    hint: "The node may have been tampered with; inform its operator.")
            }
        }
        return rest.keys.sorted()
    }
}

extension Account.L2Pin {
    /// - Throws: `CommandFailure` for an older generation than before.
    func check(_ answered: Int) throws(CommandFailure) {
        if answered < generation { throw CommandFailure.olderL2Key(answered, than: generation) }
    }

    /// Whether an entry may have this generation: the present one, or the previous one until its rekey has ended.
    func allows(rowOf generation: Int) -> Bool { (oldest...self.generation).contains(generation) }
}

extension CommandFailure {
    static func olderL2Key(_ generation: Int, than pinned: Int) -> CommandFailure {
        CommandFailure(
            .refused,
            "The node has generation \(generation) of this account's L2 key; it had generation \(pinned) before.",
            hint: "An older copy of its data may have been put in place: inform its operator.")
    }
}
