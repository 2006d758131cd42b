import Crypto
import Secrets
import TestSupport
import Testing
import VaultFormat

struct CredentialFile: Decodable {
    struct Row: Decodable, CustomTestStringConvertible {
        var name: String
        var kind: String
        var form: String
        var secret: Hex
        var H: Hex
        var vault: Hex
        var holder: Hex
        var id: Hex
        var made: Int64
        var expires: Int64?
        var rootKey: Hex
        var lookup: Hex
        var inner: Hex
        var box: Hex
        var seal: Seal?
        var testDescription: String { name }

        struct Seal: Decodable {
            var check: Hex
            var algorithm: UInt8?
            var spki: Hex
            var plaintext: Hex
            var box: Hex
        }

        func credential(box other: [UInt8]? = nil) throws -> StoredCredential {
            StoredCredential(
                id: try #require(CredentialID(id.bytes)), vault: try #require(VaultID(vault.bytes)),
                holder: try #require(HolderID(holder.bytes)), kind: try #require(CredentialKind(rawValue: kind)),
                lookup: nil, box: other ?? box.bytes, seal: seal?.box.bytes, created: made, expires: expires,
                lastUsed: made, l2Key: nil)
        }

        var root: RootKeys {
            get throws { try #require(RootKeys(current: 1, keys: [1: SymmetricKey(data: rootKey.bytes)])) }
        }
    }

    struct KitNumber: Decodable {
        var id: Hex
        var number: String
    }

    struct Challenge: Decodable {
        var microseconds: Int64
        var challenge: Hex
    }

    var rows: [Row]
    var kitNumbers: [KitNumber]
    var challenges: [Challenge]
}

/// Credentials made in Python, opened by the production code.
@Suite struct CredentialVectorTests {
    typealias Row = CredentialFile.Row
    static let file = Result { try Vectors.load("credential.json", as: CredentialFile.self) }

    @Test(arguments: try file.get().rows) func opensItsKeyHolder(_ row: Row) throws {
        let holder = try row.credential().open(SymmetricKey(data: row.secret.bytes), root: row.root)
        #expect(holder.secret.bytes.hex == row.H.hex)
        #expect(SymmetricKey(data: row.secret.bytes).tokenLookup.hex == row.lookup.hex)
    }

    @Test(arguments: try file.get().rows) func nothingButItsOwnPlaceOpens(_ row: Row) throws {
        let secret = SymmetricKey(data: row.secret.bytes)
        let good = try row.credential()
        func moved(
            id: CredentialID? = nil, vault: VaultID? = nil, holder: HolderID? = nil, created: Int64? = nil,
            expires: Int64? = nil
        ) -> StoredCredential {
            StoredCredential(
                id: id ?? good.id, vault: vault ?? good.vault, holder: holder ?? good.holder, kind: good.kind,
                lookup: nil, box: good.box, seal: good.seal, created: created ?? good.created,
                expires: expires ?? good.expires, lastUsed: 0, l2Key: nil)
        }
        for other in [
            moved(id: .random()), moved(vault: .random()), moved(holder: .random()), moved(created: row.made + 1),
            moved(expires: 1),
        ] {
            let root = try row.root
            #expect(throws: RootBoxError.self) { try other.open(secret, root: root) }
        }
    }

    /// The check is compared before the box is read: whatever the box is, a wrong secret gets the same answer after the same steps.
    @Test(arguments: try file.get().rows.filter { $0.seal != nil })
    func aWrongSecretIsToldBeforeTheBoxIsRead(_ row: Row) throws {
        let root = try row.root
        let wrong = SymmetricKey(size: .bits256)
        for box in [row.box.bytes, [], Array(row.box.bytes.dropLast())] {
            let credential = try row.credential(box: box)
            #expect(throws: BoxError.wrongKeyOrContext) { try credential.open(wrong, root: root) }
        }
    }

    /// A password has none, so that the file has no other target for guesses.
    @Test(arguments: try file.get().rows.filter { $0.seal == nil }) func onlyKitAndPasskeyHaveASeal(_ row: Row) throws {
        let credential = try row.credential()
        let root = try row.root
        #expect(!credential.kind.hasSeal)
        #expect(throws: RootBoxError.self) { try credential.openSeal(root: root) }
        #expect(throws: RootBoxError.self) { try credential.sealed(for: .generate(), root: root) }
    }

    @Test(arguments: try file.get().rows.filter { $0.seal != nil }) func aSealHasCheckAndKey(_ row: Row) throws {
        let expected = try #require(row.seal)
        let seal = try row.credential().openSeal(root: row.root)
        #expect(seal.check.hex == expected.check.hex)
        #expect(seal.bytes.hex == expected.plaintext.hex)
        #expect(seal.assertionKey?.algorithm.rawValue == expected.algorithm)
        #expect(seal.assertionKey?.spki ?? [] == expected.spki.bytes)
        // The same secret makes the same seal again.
        let again = try StoredCredential.makeSealable(
            try row.credential().kind, id: try row.credential().id, secret: SymmetricKey(data: row.secret.bytes),
            holder: .generate(), vault: try row.credential().vault, assertionKey: seal.assertionKey, created: 0,
            l2Key: nil, root: row.root)
        #expect(try again.openSeal(root: row.root).bytes == seal.bytes)
    }

    @Test(arguments: try file.get().rows.filter { $0.seal != nil }) func noTruncationIsASeal(_ row: Row) throws {
        let seal = try #require(row.seal).plaintext.bytes
        let kind = try row.credential().kind
        // A passkey's public key may have any length; whether it is one is checked when it is used.
        let shortest = kind == .passkey ? 1_250 : seal.count
        for count in 0..<shortest {
            #expect(throws: BoxError.malformed) { try CredentialSeal(Array(seal.prefix(count)), kind: kind) }
        }
        #expect(throws: Never.self) { try CredentialSeal(Array(seal.prefix(shortest)), kind: kind) }
        let other: CredentialKind = kind == .passkey ? .recovery : .passkey
        #expect(throws: BoxError.malformed) { try CredentialSeal(seal, kind: other) }
        if kind == .passkey {
            let unknown = Array(seal[..<1_248]) + [3] + Array(seal[1_249...])
            #expect(throws: BoxError.malformed) { try CredentialSeal(unknown, kind: kind) }
        }
    }

    @Test(arguments: try file.get().rows.filter { $0.seal != nil })
    func aNewKeyHolderIsSealedAndThenBoxed(_ row: Row) throws {
        let (root, secret) = (try row.root, SymmetricKey(data: row.secret.bytes))
        let next = HolderKey.generate()
        let sealed = try row.credential().sealed(for: next, root: root)
        #expect(try sealed.open(secret, root: root).secret == next.secret)
        #expect(sealed.holder == next.id && sealed.seal == row.seal?.box.bytes)
        let box = try #require(try sealed.boxed(next, under: secret, root: root))
        let boxed = StoredCredential(
            id: sealed.id, vault: sealed.vault, holder: sealed.holder, kind: sealed.kind, lookup: nil, box: box,
            seal: sealed.seal, created: sealed.created, expires: nil, lastUsed: 0, l2Key: nil)
        #expect(try boxed.open(secret, root: root).secret == next.secret)
        #expect(try boxed.boxed(next, under: secret, root: root) == nil)
        // The former column opens a key holder that is no longer the row's.
        let downgraded = StoredCredential(
            id: sealed.id, vault: sealed.vault, holder: sealed.holder, kind: sealed.kind, lookup: nil,
            box: row.box.bytes, seal: sealed.seal, created: sealed.created, expires: nil, lastUsed: 0, l2Key: nil)
        #expect(throws: RootBoxError.self) { try downgraded.open(secret, root: root) }
    }

    @Test func kitsHaveNumbers() throws {
        for example in try Self.file.get().kitNumbers {
            #expect(CredentialID(example.id.bytes)?.kitNumber == example.number)
        }
    }
}

struct EmailFile: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        var text: String
        var normalized: String?
        var index: Hex?
        var salt: Hex?
        var testDescription: String { text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }
    }

    var rootKey: Hex
    var storedNodeKey: Hex
    var cases: [Case]
}

@Suite struct EmailVectorTests {
    static let file = Result { try Vectors.load("email.json", as: EmailFile.self) }

    static func keys() throws -> NodeKeys {
        let file = try file.get()
        let root = try #require(RootKeys(current: 1, keys: [1: SymmetricKey(data: file.rootKey.bytes)]))
        return try NodeKeys(root: root, stored: file.storedNodeKey.bytes)
    }

    @Test(arguments: try file.get().cases) func anAddressIsNormalizedAndIndexed(_ example: EmailFile.Case) throws {
        let address = EmailAddress(example.text)
        #expect(address?.normalized.unicodeScalars.map(\.value) == example.normalized?.unicodeScalars.map(\.value))
        guard let address else { return }
        let keys = try Self.keys()
        #expect(keys.emailIndex(address).hex == example.index?.hex)
        #expect(keys.preloginSalt(address).hex == example.salt?.hex)
    }

    /// A normalized address is its own normal form.
    @Test(arguments: try file.get().cases.compactMap(\.normalized)) func normalizingTwiceIsOnce(_ text: String) {
        #expect(EmailAddress(text)?.normalized == text)
    }

    @Test func challengesCarryTheNodesCode() throws {
        let keys = try Self.keys()
        for example in try CredentialVectorTests.file.get().challenges {
            let bytes = example.challenge.bytes
            #expect(keys.challengeCode(Array(bytes.prefix(8))).hex == bytes.dropFirst(8).hex)
            #expect(bytes.prefix(8).reduce(0) { $0 << 8 | Int64($1) } == example.microseconds)
        }
    }
}
