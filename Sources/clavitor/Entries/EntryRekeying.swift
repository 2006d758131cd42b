import Console
import VaultFormat
import Wire

/// Gives entries another L2 key under the present l2Key: every L2 value is decrypted and encrypted anew, so that who knew the old keys
/// opens no later one.
struct EntryRekeying {
    let signedIn: SignedIn
    /// Whether older versions of L2 values are deleted instead of encrypted anew.
    var dropsHistory = false

    struct Rekeyed {
        let l2: L2EntryBody
        /// L2 values, of all versions.
        let values: Int
        /// Older versions that were deleted.
        let dropped: Int
    }

    private static let attempts = 4
    /// The node takes bodies of 4 MiB; each envelope has some 100 bytes around it.
    private static let largestBody = (4 << 20) - (64 << 10)

    /// Rekeys an entry that has an older generation.
    ///
    /// - Returns: Nil when another client did it meanwhile, or deleted the entry.
    func rekey(_ id: EntryID) async throws -> Rekeyed? {
        for attempt in 1...Self.attempts {
            do {
                return try await rekeyOnce(id)
            } catch let problem as Problem
                where attempt < Self.attempts && (problem.code == .changedSince || problem.code == .l2KeyChanged)
            {
                // Another client has changed or rekeyed it since it was read.
                continue
            } catch let problem as Problem where problem.code == .noSuchEntry {
                return nil
            }
        }
        return nil
    }

    private func rekeyOnce(_ id: EntryID) async throws -> Rekeyed? {
        let l2Key = try await signedIn.l2Key()
        let stored = try await stored(id)
        guard stored.l2.generation != l2Key.generation else { return nil }
        let old = try await signedIn.open(stored.l2, of: id)
        guard old.number < .max else { throw CommandFailure(.failed, "The entry \(id.text) had too many L2 keys.") }
        let fields = try current(stored, old, id)
        let new = L2EntryKey.generate(for: id, in: l2Key.vault, number: old.number + 1, fields: fields)
        let kept = stored.envelopes.filter { $0.isCurrent || !dropsHistory }
        let body = L2EntryRekeyBody(l2: l2Key.body(of: new), envelopes: try kept.map { try renewed($0, old, new, id) })
        guard body.envelopes.reduce(0, { $0 + $1.envelope.utf8.count + 100 }) <= Self.largestBody else {
            throw CommandFailure(
                .failed, "The older L2 values of the entry \(id.text) are too many to be encrypted anew at once.",
                hint: "Delete them: clavitor l2 rekey --drop-history")
        }
        try await signedIn.send(
            NodeRequest(.put, "api/v1/entries", id.text, "l2", body: body, ifMatch: stored.version))
        return Rekeyed(l2: body.l2, values: kept.count, dropped: stored.envelopes.count - kept.count)
    }

    /// Gets the L2 values of all versions, page by page.
    private func stored(_ id: EntryID) async throws -> L2ValuesBody {
        var all: L2ValuesBody?
        var cursor: String?
        repeat {
            let request = NodeRequest(.get, "api/v1/entries", id.text, "l2").with("limit", 200).with("cursor", cursor)
            let page = try await signedIn.send(request, as: L2ValuesBody.self)
            cursor = page.next
            guard var known = all else {
                all = page
                continue
            }
            // If it changed between two pages, the node refuses what follows from them.
            known.envelopes += page.envelopes
            all = known
        } while cursor != nil
        guard let all else { throw CommandFailure(.failed, "The node sent no L2 values.") }
        return all
    }

    /// The current L2 fields with their versions, which must be those of the list.
    private func current(_ stored: L2ValuesBody, _ key: L2EntryKey, _ id: EntryID) throws -> [FieldID: Int] {
        var fields: [FieldID: Int] = [:]
        for envelope in stored.envelopes where envelope.isCurrent {
            guard let field = FieldID(text: envelope.field), key.fields[field] == envelope.version,
                fields.updateValue(envelope.version, forKey: field) == nil
            else {
                throw CommandFailure(
                    .refused, "The node's L2 values of the entry \(id.text) are not those of your list of L2 fields.",
                    hint: "The node may have been tampered with; inform its operator.")
            }
        }
        return fields
    }

    private func renewed(
        _ envelope: L2ValuesBody.Envelope, _ old: L2EntryKey, _ new: L2EntryKey, _ id: EntryID
    ) throws -> L2EntryRekeyBody.Envelope {
        guard let field = FieldID(text: envelope.field) else {
            throw CommandFailure(.failed, "The node sent an invalid id.")
        }
        do throws(L2Failure) {
            let value = try old.open(envelope.envelope, field: field, version: envelope.version)
            return .init(
                field: envelope.field, version: envelope.version,
                envelope: try new.seal(value, field: field, version: envelope.version))
        } catch {
            let failure = CommandFailure(error)
            throw CommandFailure(
                failure.outcome,
                "Version \(envelope.version) of field \(envelope.field) in entry \(id.text): \(failure.message)",
                hint: envelope.isCurrent
                    ? "This entry was not changed. Remove the field or purge the entry if it is not needed, then repeat."
                    : "This entry was not changed. To delete older versions: clavitor l2 rekey --drop-history")
        }
    }
}
