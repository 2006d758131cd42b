import Crypto
import Secrets
import TestSupport
import Testing
import VaultFormat

struct EndToEndFile: Decodable {
    struct Account: Decodable {
        var authKey: Hex
        var l2WrapKey: Hex
    }
    struct IDs: Decodable {
        var vault: Hex
        var entry: Hex
        var l2Field: Hex
        var l1Field: Hex
        var owner: Hex
        var agent: Hex
        var credentialRow: Hex
    }
    struct RootKey: Decodable {
        var id: UInt32
        var key: Hex
    }
    struct Owner: Decodable {
        var H: Hex
        var wrapKey: Hex
    }
    struct Agent: Decodable {
        var H: Hex
        var sealSeed: Hex
    }
    var account: Account
    var ids: IDs
    var version: Int
    var made: Int64
    var rootKey: RootKey
    var owner: Owner
    var agent: Agent
    var boxes: [String: BoxFile.Case]
}

/// A complete account from the vectors, opened by the production code from the credential to each value.
@Suite struct EndToEndVectorTests {
    let file: EndToEndFile
    let root: RootKeys
    let vault: VaultID
    let entry: EntryID
    let owner: HolderID

    init() throws {
        file = try Vectors.load("end-to-end.json")
        root = try #require(
            RootKeys(current: file.rootKey.id, keys: [file.rootKey.id: SymmetricKey(data: file.rootKey.key.bytes)]))
        vault = try #require(VaultID(file.ids.vault.bytes))
        entry = try #require(EntryID(file.ids.entry.bytes))
        owner = try #require(HolderID(file.ids.owner.bytes))
    }

    private func box(_ name: String) throws -> BoxFile.Case { try #require(file.boxes[name]) }

    private func place(_ field: FieldID, _ tier: Tier, part: FieldPart = .value) -> FieldPlace {
        FieldPlace(vault: vault, entry: entry, field: field, part: part, tier: tier, version: file.version)
    }

    private func credential() throws -> StoredCredential {
        StoredCredential(
            id: try #require(CredentialID(file.ids.credentialRow.bytes)), vault: vault, holder: owner, kind: .password,
            lookup: nil, box: try box("credentialOuter").box.bytes, created: file.made, expires: nil, lastUsed: 0,
            l2Key: try box("l2KeyOuter").box.bytes)
    }

    private func opensTheCredential() throws -> HolderKey {
        try credential().open(SymmetricKey(data: file.account.authKey.bytes), root: root)
    }

    @Test func thePasswordsKeyOpensTheOwner() throws {
        let holder = try opensTheCredential()
        #expect(holder.secret.bytes.hex == file.owner.H.hex)
        #expect(holder.wrapKey.bytes.hex == file.owner.wrapKey.hex)
    }

    @Test func theOwnerOpensTitleLabelAndValue() throws {
        let holder = try opensTheCredential()
        let field = try #require(FieldID(file.ids.l1Field.bytes))
        for (value, wrap, place) in [
            ("title", "titleWrap", place(.title, .metadata)), ("l1Value", "l1Wrap", place(field, .l1)),
            ("about", "aboutWrap", place(field, .metadata, part: .about)),
        ] {
            let stored = Wrap(place: place, holder: owner, isSealed: false, box: try box(wrap).box.bytes)
            let key = try holder.unwrap(stored, root: root)
            let plaintext = try Box.open(try box(value).box.bytes, key: key, context: place.valueContext)
            #expect(plaintext.hex == (try box(value)).plaintext.hex)
        }
    }

    @Test func theAgentOpensWhatWasSealedToIt() throws {
        let id = try #require(HolderID(file.ids.agent.bytes))
        let holder = HolderKey(id: id, secret: SymmetricKey(data: file.agent.H.bytes))
        let place = place(try #require(FieldID(file.ids.l1Field.bytes)), .l1)
        let key = try holder.unwrap(
            Wrap(place: place, holder: id, isSealed: true, box: try box("sealedWrapOuter").box.bytes), root: root)
        let plaintext = try Box.open(try box("l1Value").box.bytes, key: key, context: place.valueContext)
        #expect(plaintext.hex == (try box("l1Value")).plaintext.hex)
    }

    @Test func theClientOpensItsKeyAndItsValue() throws {
        let l2Key = try L2Key(
            wrapped: try box("l2Key").box.bytes, by: SymmetricKey(data: file.account.l2WrapKey.bytes), vault: vault,
            generation: 1)
        let field = try #require(FieldID(file.ids.l2Field.bytes))
        let key = try l2Key.open(try box("l2Entry").box.bytes, entry: entry, number: 1)
        #expect(key.fields == [field: file.version])
        let value = try key.open(try box("l2Value").box.bytes, field: field, version: file.version)
        #expect(String(decoding: value, as: UTF8.self) == "4111 1111 1111 1111")
    }

    @Test func theOuterSecretBoxOfTheL2KeyOpens() throws {
        let inner = try credential().openL2Key(root: root)
        #expect(inner?.hex == (try box("l2Key")).box.hex)
    }
}
