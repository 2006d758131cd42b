import Files
import Foundation
import NodeCore
import RootKeySources
import SQLite
import ServerRuntime
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

@testable import clavitor_node

@Suite(.timeLimit(.minutes(15))) struct DamageTests {
    @Test func aFullDiskRefusesChangesAndLosesNothing() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            // SQLite's own ceiling stands in for the disk's.
            try await live.node.store.database.maintain { db in
                let pages = try db.first("PRAGMA page_count") { $0.int(0) } ?? 0
                try db.script("PRAGMA max_page_count = \(pages)")
            }
            let large = String(repeating: "x", count: 60_000)
            let body = EntryWriteBody(title: "large", type: "note", notes: large)
            let refused = try await live.send("POST", "/api/v1/entries", token: person.token, json: body)
            #expect(refused.status == 503)
            #expect(refused.problem == "read-only")
            let ready = try await live.send("GET", "/readyz")
            #expect(ready.status == 503)
            let health: HealthBody = try ready.json()
            #expect(health.reasons == ["read-only: disk-full"])
            let small = try await live.send(
                "POST", "/api/v1/entries", token: person.token, json: EntryWriteBody(title: "small", type: "note"))
            #expect(small.status == 503)
            // Room again, and it goes on.
            try await live.node.store.database.maintain { try $0.script("PRAGMA max_page_count = 1073741823") }
            let path = "/api/v1/entries/\(entry.id)/fields/\(try entry.field("user name").id)"
            let read: FieldValueBody = try await live.send("GET", path, token: person.token).json()
            #expect(read.value == "alice")
            live.node.health.diskHasRoom()
            let again = try await live.send("POST", "/api/v1/entries", token: person.token, json: body)
            #expect(again.status == 201)
            let findings = try Inspection(path: live.directory.database, keys: live.node.keys).findings()
            #expect(findings.isEmpty)
        }
    }

    @Test func withoutAnAuditLineNothingIsReadOrChanged() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            try await live.node.store.database.maintain { db in
                try db.script("CREATE TRIGGER stuck BEFORE INSERT ON audit BEGIN SELECT abs(-9223372036854775808); END")
            }
            let path = "/api/v1/entries/\(entry.id)"
            let read = try await live.send(
                "GET", "\(path)/fields/\(try entry.field("API key").id)", token: person.token)
            #expect(read.status == 500)
            #expect(!String(decoding: read.body, as: UTF8.self).contains("key-Bank"))
            let write = try await live.send(
                "PATCH", path, token: person.token, headers: ["if-match": "\"1\""], json: EntryWriteBody(title: "new"))
            #expect(write.status == 500)
            try await live.node.store.database.maintain { try $0.script("DROP TRIGGER stuck") }
            let now: EntryBody = try await live.send("GET", path, token: person.token).json()
            #expect(now.title == "Bank")
            #expect(now.version == 1)
        }
    }

    @Test func aTamperedSecretBoxMakesTheNodeReadOnly() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let id = try #require(EntryID(text: entry.id))
            _ = try await live.node.store.database.maintain { db in
                // The last byte of every value of the entry: its tag.
                try db.run(
                    """
                    UPDATE value SET box = CAST(substr(box, 1, length(box) - 1) || x'00' AS BLOB) WHERE entry = ?
                    """, .blob(id.bytes))
            }
            let read = try await live.send(
                "GET", "/api/v1/entries/\(entry.id)/fields/\(try entry.field("API key").id)", token: person.token)
            #expect(read.status == 503)
            let ready: HealthBody = try await live.send("GET", "/readyz").json()
            #expect(ready.reasons == ["read-only: damaged"])
            let write = try await live.send(
                "POST", "/api/v1/entries", token: person.token, json: EntryWriteBody(title: "x", type: "note"))
            #expect(write.status == 503)
        }
    }

    @Test func aRestoredOlderFileIsDetectedByItsHead() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let directory = DataDirectory(path: scratch.file("data"), rootKey: nil)
        let (before, person) = try await LiveNode.with(directory: directory) { live in
            let person = try await Person.register(live)
            try await live.node.store.database.truncateWAL()
            try FileManager.default.copyItem(atPath: directory.database, toPath: scratch.file("older.db"))
            _ = try await person.createLogin(live)
            return (live.node.store.journal.head, person)
        }
        for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: directory.database + name) }
        try FileManager.default.moveItem(atPath: scratch.file("older.db"), toPath: directory.database)
        try await LiveNode.with(directory: directory) { live in
            _ = person
            let now = live.node.store.journal.head
            // Same epoch, fewer lines: no lawful restore leads there.
            #expect(now.epoch == before.epoch)
            #expect(now.chain.sequence < before.chain.sequence)
        }
    }

    @Test func aWrongRootKeyOpensNothing() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let directory = DataDirectory(path: scratch.file("data"), rootKey: nil)
        _ = try directory.initialize(now: 1)
        File.remove(directory.rootKeySource.location)
        try directory.rootKeySource.replace(with: .generate())
        #expect(throws: Failure.self) { _ = try directory.nodeKeys() }
    }
}
