import Testing
import VaultFormat
import Wire

@testable import clavitor

/// What the command line makes of a node whose answers do not fit the owner's list of L2 fields.
@Suite struct L2ListTests {
    private let entry = EntryID.random()
    private let first = FieldID.random()
    private let second = FieldID.random()

    private func key(_ fields: [FieldID: Int]) -> L2EntryKey {
        .generate(for: entry, in: .random(), fields: fields)
    }

    private func body(_ fields: [(FieldID, tier: Int, version: Int)]) -> EntryBody {
        EntryBody(
            id: entry.text, version: 9, title: "Bank", type: "login", urls: nil, tags: nil, notes: nil, createdAt: 0,
            updatedAt: 0, deletedAt: nil, depositor: nil,
            fields: fields.map {
                FieldBody(id: $0.0.text, label: "pin", kind: "secret", tier: $0.tier, version: $0.version)
            })
    }

    @Test func whatFitsIsAccepted() throws {
        #expect(try key([first: 3]).goneFields(of: body([(first, 2, 3), (second, 1, 9)])) == [])
        #expect(try key([:]).goneFields(of: body([(first, 1, 3)])) == [])
    }

    @Test func aListedFieldThatIsGoneIsReportedOnly() throws {
        #expect(try key([first: 3, second: 1]).goneFields(of: body([(first, 2, 3)])) == [second])
    }

    @Test(arguments: [
        ("L2 in the list and L1 at the node", 1, 3), ("an older version", 2, 2), ("a newer version", 2, 4),
        ("an unknown tier", 3, 3),
    ])
    func whatDoesNotFitIsRefused(_ name: String, _ tier: Int, _ version: Int) {
        #expect(throws: CommandFailure.self) { try key([first: 3]).goneFields(of: body([(first, tier, version)])) }
    }

    @Test func aFieldThatOnlyTheNodeCallsL2IsRefused() {
        #expect(throws: CommandFailure.self) { try key([:]).goneFields(of: body([(first, 2, 1)])) }
    }

    @Test func theGenerationNeverGoesBack() throws {
        let pin = Account.L2Pin(L2Body(generation: 5, wrappedKey: "box"), after: nil)
        #expect(throws: CommandFailure.self) { try pin.check(4) }
        try pin.check(5)
        try pin.check(6)
    }

    /// The previous generation is valid until its rekey has ended, and never again.
    @Test func rowsOfTheOldGenerationEndWithItsRekey() {
        var pin = Account.L2Pin(L2Body(generation: 5, wrappedKey: "box"), after: nil)
        #expect(pin.allows(rowOf: 4) && pin.allows(rowOf: 5))
        #expect(!pin.allows(rowOf: 3) && !pin.allows(rowOf: 6))
        pin.oldest = 5
        let again = Account.L2Pin(L2Body(generation: 5, wrappedKey: "other"), after: pin)
        #expect(!again.allows(rowOf: 4) && again.allows(rowOf: 5), "another sign-in does not forget it")
        let next = Account.L2Pin(L2Body(generation: 6, wrappedKey: "other"), after: again)
        #expect(next.allows(rowOf: 5) && !next.allows(rowOf: 4))
        #expect(!Account.L2Pin(L2Body(generation: 1, wrappedKey: "box"), after: nil).allows(rowOf: 0))
    }
}
