import Auth
import Foundation
import OneTimePasswords
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The list of items, a file writer, and what is owed after a change.
extension KeptCredentialTests {
    @Test func everyListedItemIsBoxedAnew() async throws {
        let (owner, _, passkey) = try await setUp()
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
        _ = try await node.accounts.beginSecondFactor(as: owner)
        // An item that this version does not know.
        let future = OwnerItem(name: "of-a-later-version")
        let box = Box.seal(
            Array("content".utf8), key: owner.holder.wrapKey,
            context: future.context(vault: ada.vault, holder: owner.holder.id))
        let line = try node.audit.seal(AuditEvent(.secondFactorBegin, by: .init(.owner)), vault: ada.vault)
        try await node.store.commit([.putItem(future, owner.holder.id, vault: ada.vault, box)], [line])
        let list = try node.file().first("SELECT items FROM account") { $0.text(0) }
        #expect(list == "index,of-a-later-version,passkey-\(passkey.id.text),totp,totp-pending")
        let change = try await node.changePassword(
            ada, to: changed, code: codes[0], keeping: [passkey.id], as: owner)
        let new = try await node.principal(change.session.token)
        let items = try node.store.items(of: new.holder.id, in: ada.vault)
        #expect(items.count == 5)
        let content = try Box.open(
            try #require(items[future]), key: new.holder.wrapKey,
            context: future.context(vault: ada.vault, holder: new.holder.id))
        #expect(content == Array("content".utf8))
        #expect(try node.count("SELECT count(*) FROM item") == 5)
        #expect(try node.file().first("SELECT items FROM account") { $0.text(0) } == list)
        #expect(await thrown { try await node.login(changed) } as? AuthError == .secondFactorNeeded)
    }

    /// A file writer removes an item, and the operator accepts the file as it is: the second factor is not gone silently.
    @Test(arguments: ["totp", "index"]) func aListedItemThatIsMissingRefusesEverything(_ name: String) async throws {
        let (owner, kitID, passkey) = try await setUp()
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
        try node.file().run("DELETE FROM item WHERE name = ?", .text(name))
        #expect(isDamage(await thrown { try await node.login(ada, code: codes[0]) }))
        _ = try await node.store.acceptRecords(of: ada.vault, audit: node.audit, reason: "accepted")
        let errors = [
            await thrown { try await node.login(ada) }, await thrown { try await node.login(passkey) },
            await thrown { try await node.recover(ada, kit: kit) },
            await thrown { try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner) },
        ]
        #expect(errors.prefix(3).allSatisfy { $0 as? VaultError == .vaultDamaged }, "\(errors)")
        #expect(errors.allSatisfy { $0 != nil })
        #expect(try node.count("SELECT count(*) FROM holder") == 1)
    }

    // MARK: A file writer

    enum Moment: CaseIterable {
        case running, stopped
    }

    /// Somebody puts the row of a removed passkey back into the file: the next key holder is not sealed to it.
    @Test(arguments: Moment.allCases) func aRemovedPasskeyThatIsPutBackIsNotSealedTo(_ moment: Moment) async throws {
        let (owner, _, passkey) = try await setUp()
        try node.file().script("VACUUM INTO '\(node.scratch.file("old.db"))'")
        try await node.accounts.removePasskey(passkey.id, proof: ada.proof(), as: owner)
        let file = try node.file()
        try file.script(
            """
            ATTACH '\(node.scratch.file("old.db"))' AS old;
            INSERT INTO credential SELECT * FROM old.credential WHERE kind = 'passkey';
            INSERT INTO item SELECT * FROM old.item WHERE name LIKE 'passkey-%';
            """)
        let box = "SELECT box FROM credential WHERE kind = 'passkey'" as StaticString
        let before = try file.first(box) { $0.blob(0) }
        let attacked =
            moment == .running ? node : try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        let errors = [
            await thrown { try await attacked.login(passkey) },
            await thrown { try await attacked.changePassword(ada, to: changed, keeping: [passkey.id], as: owner) },
            await thrown { try await attacked.changePassword(ada, to: changed, keeping: [], as: owner) },
        ]
        #expect(errors.allSatisfy { isDamage($0) }, "\(errors)")
        #expect(try file.first(box) { $0.blob(0) } == before)
        #expect(attacked.damaged.all == [ada.vault])
    }

    // MARK: What is owed

    @Test func aReaderThatHoldsTheLogBackMakesItOwed() async throws {
        let (owner, _, _) = try await setUp()
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        let reader = try Connection(path: node.path, access: .readOnly)
        try reader.script("BEGIN; SELECT count(*) FROM audit;")
        let change = try await node.changePassword(ada, to: changed, keeping: [], as: owner)
        #expect(change.isOwed)
        try reader.script("COMMIT")
        let log = URL(filePath: node.path + "-wal")
        #expect(try Data(contentsOf: log).count > 0)
        try await node.store.sweep(sessionIdle: 86_400, audit: node.audit)
        #expect(try Data(contentsOf: log).count == 0)
        #expect(try node.count("SELECT count(*) FROM holder") == 1)
    }
}
