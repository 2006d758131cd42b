import Auth
import Crypto
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Enrolment, the list, and removal.
extension PasskeyTests {
    @Test func aThiefWithAFreshSessionCannotEnrol() async throws {
        let thief = try await node.owner(ada)
        let wrong = Person("ada@example.org", password: "wrong")
        let error = await thrown { try await node.addPasskey(proof: wrong.proof(), as: thief) }
        let unproven = try TestPasskey().proof(node.accounts.passkeyChallenge().challenge)
        let byOwn = await thrown { try await node.addPasskey(proof: unproven, as: thief) }
        #expect(error as? AuthError == .wrongProof && byOwn as? AuthError == .wrongProof)
        #expect(try node.count("SELECT count(*) FROM credential WHERE kind = 'passkey'") == 0)
        #expect(try node.count("SELECT count(*) FROM item") == 1)
    }

    @Test func eachNewOneIsALineOfItsOwn() async throws {
        let (owner, passkey) = try await owner()
        let event = try await node.events(as: owner).first
        #expect(event?.action == .passkeyChange && event?.subject == passkey.id.text && event?.reason == "set")
        let kit = try await node.kit(as: owner)
        let set = try await node.events(as: owner).first { $0.action == .recoveryChange }
        #expect(set?.subject == kit?.text)
    }

    @Test func anIDOrASecretThatExistsIsRefused() async throws {
        let (owner, passkey) = try await owner()
        let kit = try #require(try await node.kit(as: owner))
        let same = await thrown {
            try await node.accounts.addPasskey(passkey.enrolment(), proof: ada.proof(), as: owner)
        }
        var other = passkey.enrolment()
        other.id = .random()
        let secret = await thrown { [other] in
            try await node.accounts.addPasskey(other, proof: ada.proof(), as: owner)
        }
        var stolen = try #require(ada.recovery)
        stolen.id = kit
        let kits = [
            await thrown { [stolen] in
                try await node.accounts.setRecovery(stolen, proof: ada.proof(), as: owner)
            },
            await thrown { [stolen] in
                try await node.accounts.changePassword(
                    ada.secrets, .init(recovery: stolen, keep: [], agents: nil), proof: ada.proof(), as: owner)
            },
        ]
        #expect(([same, secret] + kits).allSatisfy { $0 as? AuthError == .credentialExists })
        #expect(try await node.accounts.credentials(as: owner).map(\.id) == [kit, passkey.id])
    }

    @Test func sixteenAreTheMost() async throws {
        let owner = try await node.owner(ada)
        for number in 0..<16 { _ = try await node.addPasskey("\(number)", proof: ada.proof(), as: owner) }
        let error = await thrown { try await node.addPasskey(proof: ada.proof(), as: owner) }
        guard case .invalid("id", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await node.accounts.credentials(as: owner).count == 17)
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var member: String
        var change: @Sendable (inout Accounts.NewPasskey) -> Void
    }

    @Test(arguments: [
        Bad(testDescription: "a short key", member: "authKey") { $0.authKey = SymmetricKey(size: .bits128) },
        Bad(testDescription: "no public key", member: "publicKey") {
            $0.key = AssertionKey(algorithm: .es256, spki: [])
        },
        Bad(testDescription: "a public key of another algorithm", member: "publicKey") {
            $0.key = AssertionKey(algorithm: .rs256, spki: $0.key.spki)
        },
        Bad(testDescription: "an invalid L2 key", member: "l2.wrappedKey") { $0.wrappedL2Key = [1] },
        Bad(testDescription: "no name", member: "name") { $0.details.name = " " },
        Bad(testDescription: "a long name", member: "name") { $0.details.name = String(repeating: "x", count: 257) },
        Bad(testDescription: "a name with a control character", member: "name") { $0.details.name = "a\u{1b}b" },
        Bad(testDescription: "no id", member: "details.credentialId") { $0.details.credentialID = [] },
        Bad(testDescription: "a long id", member: "details.credentialId") {
            $0.details.credentialID = [UInt8](repeating: 1, count: 1_024)
        },
        Bad(testDescription: "nine transports", member: "details.transports") {
            $0.details.transports = [String](repeating: "usb", count: 9)
        },
    ])
    func refuses(_ example: Bad) async throws {
        let owner = try await node.owner(ada)
        var enrolment = TestPasskey().enrolment()
        example.change(&enrolment)
        let error = await thrown { [enrolment] in
            try await node.accounts.addPasskey(enrolment, proof: ada.proof(), as: owner)
        }
        guard case .invalid(let member, _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == example.member)
    }

    // MARK: The list

    @Test func theListNamesKitAndPasskeys() async throws {
        let (owner, passkey) = try await owner()
        node.moments.advance(by: 100)
        _ = try await node.login(passkey)
        let list = try await node.accounts.credentials(as: owner)
        let kit = try #require(list.first)
        let own = try #require(list.last)
        #expect(list.count == 2 && kit.kind == .recovery && kit.details == nil && kit.lastUsed == nil)
        #expect(own.id == passkey.id && own.lastUsed == node.moments.now && own.opensL2)
        #expect(own.details?.name == "MacBook" && own.details?.credentialID == passkey.credentialID)
        #expect(own.details?.transports == ["internal"] && own.details?.made == own.created)
    }

    @Test func itIsRenamedWithoutAProof() async throws {
        let (owner, passkey) = try await owner()
        try await node.accounts.renamePasskey(passkey.id, to: "Büro", as: owner)
        let details = try await node.accounts.credentials(as: owner).last?.details
        #expect(details?.name == "Büro" && details?.credentialID == passkey.credentialID)
        await #expect(throws: AuthError.noSuchPasskey) {
            try await node.accounts.renamePasskey(.random(), to: "x", as: owner)
        }
    }

    @Test func aRemovedOneOpensNothing() async throws {
        let (owner, passkey) = try await owner()
        let session = try await node.login(passkey).token
        let wrong = await thrown {
            try await node.accounts.removePasskey(
                passkey.id, proof: Person("ada@example.org", password: "x").proof(), as: owner)
        }
        try await node.accounts.removePasskey(passkey.id, proof: ada.proof(), as: owner)
        let error = await thrown { try await node.login(passkey) }
        #expect(wrong as? AuthError == .wrongProof)
        #expect(error as? AuthError == .badCredentials)
        #expect(try await node.accounts.credentials(as: owner).map(\.kind) == [.recovery])
        #expect(try node.count("SELECT count(*) FROM item") == 1)
        // It is the session's owner who ends the session.
        #expect(await thrown { try await node.principal(session) } == nil)
    }

    @Test func aKitCannotBeRemovedAsAPasskey() async throws {
        let (owner, _) = try await owner()
        let kit = try #require(try await node.kit(as: owner))
        await #expect(throws: AuthError.noSuchPasskey) {
            try await node.accounts.removePasskey(kit, proof: ada.proof(), as: owner)
        }
    }
}
