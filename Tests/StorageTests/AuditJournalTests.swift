import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The audit log's head, which is authenticated before anything is served.
@Suite struct AuditJournalTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        _ = try await node.entries.create(.login(), id: nil, as: owner)
    }

    private func reopen(root: RootKeys? = nil) throws -> TestVault {
        try TestVault(opening: node.scratch, root: root ?? node.root, moments: node.moments)
    }

    @Test func aRestartContinuesWhereTheLogEnded() async throws {
        let head = node.store.journal.head
        let again = try reopen()
        #expect(again.store.journal.head == head)
        #expect(head.epoch == 1 && head.chain.sequence == 3)
    }

    @Test func everyCommitUpdatesTheHeadOnDisk() async throws {
        _ = await thrown { try await node.login(Person(password: "wrong")) }
        let stored = try node.count("SELECT sequence FROM audit_head")
        #expect(Int(node.store.journal.head.chain.sequence) == stored)
        #expect(stored == 4)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var sql: String
    }

    @Test(arguments: [
        Case(testDescription: "another sequence", sql: "UPDATE audit_head SET sequence = sequence - 1"),
        Case(testDescription: "another hash", sql: "UPDATE audit_head SET hash = zeroblob(32)"),
        Case(testDescription: "another epoch", sql: "UPDATE audit_head SET epoch = epoch + 1"),
        Case(testDescription: "another code", sql: "UPDATE audit_head SET code = zeroblob(32)"),
        Case(testDescription: "a short code", sql: "UPDATE audit_head SET code = x''"),
        Case(testDescription: "no head", sql: "DELETE FROM audit_head"),
        Case(
            testDescription: "a head rolled back to an earlier line",
            sql: "UPDATE audit_head SET sequence = 1, hash = (SELECT hash FROM audit WHERE sequence = 1)"),
    ])
    func aModifiedHeadIsRefusedAtOpen(_ example: Case) throws {
        try node.file().script(example.sql)
        #expect(throws: VaultError.self) { try reopen() }
    }

    @Test func anotherNodesHeadIsRefusedAtOpen() async throws {
        let other = try TestVault()
        _ = try await other.owner()
        let head = try other.file().first("SELECT epoch, sequence, hash, code FROM audit_head") { row in
            (row.integer(0), row.integer(1), row.blob(2), row.blob(3))
        }
        let theirs = try #require(head)
        try node.file().run(
            "UPDATE audit_head SET epoch = ?, sequence = ?, hash = ?, code = ?", .integer(theirs.0), .integer(theirs.1),
            .blob(theirs.2), .blob(theirs.3))
        #expect(throws: VaultError.self) { try reopen() }
    }

    @Test func anotherRootKeyOpensNothing() throws {
        #expect(throws: RootBoxError.self) { try reopen(root: .generate()) }
    }

    @Test func aFileWithoutANodeKeyIsRefused() throws {
        try node.file().script("DELETE FROM node")
        #expect(throws: VaultError.self) { try reopen() }
    }

    @Test func aFileIsCreatedOnce() throws {
        #expect(throws: SQLiteError.self) { try Store.create(path: node.path, root: .generate(), now: 0) }
        #expect(throws: Never.self) { try reopen() }
    }

    struct Line: CustomTestStringConvertible {
        var testDescription: String
        var sql: String
    }

    @Test(arguments: [
        Line(
            testDescription: "a changed body", sql: "UPDATE audit SET body = zeroblob(length(body)) WHERE sequence = 2"),
        Line(testDescription: "a changed time", sql: "UPDATE audit SET time = time - 1 WHERE sequence = 2"),
        Line(testDescription: "a line without its vault", sql: "UPDATE audit SET vault = NULL WHERE sequence = 2"),
        Line(testDescription: "a missing line", sql: "DELETE FROM audit WHERE sequence = 2"),
        Line(testDescription: "a missing end", sql: "DELETE FROM audit WHERE sequence = 3"),
        Line(
            testDescription: "a line too many",
            sql: "INSERT INTO audit SELECT 4, time, vault, change, digest, body, hash FROM audit WHERE sequence = 3"),
        Line(
            testDescription: "two swapped lines",
            sql:
                "UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; UPDATE audit SET sequence = 3 WHERE sequence = 99"
        ),
    ])
    func theVerificationFindsATamperedLog(_ example: Line) async throws {
        let before = try await node.verification().findings
        try node.file().script(example.sql)
        let after = try await node.verification().findings
        #expect(before == [])
        #expect(!after.isEmpty)
    }
}
