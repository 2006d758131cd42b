import ArgumentParser
import VaultFormat
import Wire

struct L2: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manage the key of end-to-end encrypted (L2) values.", subcommands: [Rekey.self])

    struct Rekey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Re-encrypt every L2 value under a new key.",
            discussion: """
                For use after a password was compromised: the old key decrypts no value that is read from now on. Values \
                that may have been read must still be changed at their source. Replaces the recovery kit: the new one is \
                printed.
                """)

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let old = try await signedIn.l2Key()
                let keys = try await signedIn.passwordKeys()
                let new = L2Key.generate(for: old.vault)
                let renewed = try await stored(signedIn).map { try $0.renewed(from: old, to: new) }
                let wrapped = new.wrapped(by: keys.l2WrapKey)
                let kit = RecoveryKit()
                let recovery = kit.body(for: new, origin: try signedIn.owner().pins.origin)
                try await signedIn.proving(code) { proof in
                    let body = L2RekeyBody(
                        proof: proof, l2: L2Body(wrappedKey: wrapped), recovery: recovery, envelopes: renewed)
                    try await signedIn.send(NodeRequest(.put, "api/v1/account/l2", body: body))
                }
                try context.show(KitOutput(kit)) {
                    "\(renewed.count) L2 values re-encrypted under a new key." + KitOutput.paragraph(kit)
                }
                try signedIn.adopt(wrappedL2Key: wrapped)
            }
        }

        /// Gets all L2 values of all versions, page by page.
        private func stored(_ signedIn: SignedIn) async throws -> [L2RekeyBody.Envelope] {
            var envelopes: [L2RekeyBody.Envelope] = []
            var cursor: String?
            repeat {
                let request = NodeRequest(.get, "api/v1/account/l2").with("limit", 200).with("cursor", cursor)
                let page = try await signedIn.send(request, as: L2ValuesBody.self)
                envelopes += page.envelopes
                cursor = page.next
            } while cursor != nil
            return envelopes
        }
    }
}

extension L2RekeyBody.Envelope {
    fileprivate func renewed(from old: L2Key, to new: L2Key) throws -> L2RekeyBody.Envelope {
        guard let entryID = EntryID(text: entry), let fieldID = FieldID(text: field) else {
            throw CommandFailure(.failed, "The node sent an invalid id.")
        }
        do throws(L2Failure) {
            let value = try old.open(envelope, entry: entryID, field: fieldID, version: version)
            var renewed = self
            renewed.envelope = try new.seal(value, entry: entryID, field: fieldID, version: version)
            return renewed
        } catch {
            let failure = CommandFailure(error)
            throw CommandFailure(
                failure.outcome, "Version \(version) of field \(field) in entry \(entry): \(failure.message)",
                hint: "Nothing was changed. Purge the entry if it is not needed, then repeat.")
        }
    }
}
