import Auth
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// A key holder cached on a connection authenticates only the row from which it was opened.
@Suite struct OpenHolderTests {
    let node: TestVault
    let owner: Principal
    let token: Token
    let entry: EntryView
    let robot: TestAgent
    let connection = OpenHolders()

    init() async throws {
        node = try TestVault()
        let person = Person()
        try await node.register(person)
        token = try await node.login(person).token
        owner = try await node.principal(token)
        entry = try await node.entries.create(.login(), id: nil, as: owner)
        robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
        _ = try await node.owner(Person("bob@example.org"))
    }

    struct Planted: CustomTestStringConvertible {
        let testDescription: String
        let sql: String
    }

    private static let other = "(SELECT vault FROM account ORDER BY created DESC, rowid DESC LIMIT 1)"

    @Test(arguments: [
        Planted(testDescription: "another vault", sql: "UPDATE credential SET vault = \(other) WHERE kind = 'session'"),
        Planted(testDescription: "created anew", sql: "UPDATE credential SET created = created + 100000"),
        Planted(testDescription: "longer", sql: "UPDATE credential SET expires = expires + 100000"),
        Planted(testDescription: "another secret box", sql: "UPDATE credential SET box = zeroblob(length(box))"),
        Planted(
            testDescription: "another id", sql: "UPDATE credential SET id = randomblob(16) WHERE kind = 'session'"),
    ])
    func aPlantedSessionRowIsRejected(_ planted: Planted) async throws {
        _ = try await node.principal(token, on: connection)
        _ = try await node.principal(token, on: connection)
        try node.file().script(planted.sql)
        let error = await thrown { try await node.principal(token, on: connection) }
        #expect(error != nil)
    }

    @Test(arguments: [
        Planted(
            testDescription: "made an owner's",
            sql:
                "UPDATE credential SET kind = 'session', expires = 9999999999 WHERE kind = 'agent'"
        ),
        Planted(testDescription: "another vault", sql: "UPDATE credential SET vault = \(other) WHERE kind = 'agent'"),
        Planted(testDescription: "its row in another vault", sql: "UPDATE agent SET vault = \(other)"),
    ])
    func aPlantedAgentRowIsRejected(_ planted: Planted) async throws {
        let principal = try await node.principal(robot.token, on: connection)
        _ = try await node.value(entry.field("password"), of: entry.id, as: principal)
        try node.file().script(planted.sql)
        let error = await thrown { try await node.principal(robot.token, on: connection) }
        #expect(error != nil)
    }
}
