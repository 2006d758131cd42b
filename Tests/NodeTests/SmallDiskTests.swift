import Files
import Foundation
import Logging
import SQLite
import Serving
import Storage
import Testing
import Vault
import Wire

@testable import clavitor_node

/// A disk of 128 MiB that tenants fill. A file system in memory stands for it, which takes root.
@Suite(.timeLimit(.minutes(15)), .enabled(if: geteuid() == 0, "needs root for a small file system"), .serialized)
struct SmallDiskTests {
    private final class Disk {
        let scratch: Scratch

        init() throws {
            scratch = try Scratch()
            _ = try Pebble.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=128m", "tmpfs", scratch.path("")])
        }

        deinit {
            _ = try? Pebble.run("/usr/bin/umount", [scratch.path("")])
            scratch.remove()
        }

        var directory: DataDirectory { DataDirectory(path: scratch.path("data"), rootKey: nil) }
    }

    private static func keeper(_ live: LiveNode) -> Keeper {
        Keeper(
            node: live.node, directory: live.directory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func add(_ person: Person, _ live: LiveNode) async throws -> Int {
        let value = String(repeating: "x", count: 60_000)
        let fields = (0..<60).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: value) }
        let body = EntryWriteBody(title: "large", type: "note", fields: fields)
        return Int(try await live.send("POST", "/api/v1/entries", token: person.token, json: body).status)
    }

    /// Until nothing more is taken.
    private static func fill(_ live: LiveNode, _ people: [Person]) async throws {
        for person in people {
            for _ in 0..<40 where try await add(person, live) != 201 { break }
        }
        #expect(live.node.health.mode == .readOnly(.diskFull))
    }

    /// What tenants delete is room again, though the file had it.
    @Test func whatIsDeletedEndsIt() async throws {
        let disk = try Disk()
        try await LiveNode.with(directory: disk.directory) { live in
            let keeper = Self.keeper(live)
            try await keeper.watchDisk()
            #expect(live.directory.reserve.isHeld)
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            try await Self.fill(live, people)
            try await keeper.watchDisk()
            #expect(!live.directory.reserve.isHeld)
            try await keeper.watchDisk()
            #expect(live.node.health.mode == .readOnly(.diskFull), "there is no more room than before")
            for person in people {
                let gone = try await live.send("DELETE", "/api/v1/account", token: person.token)
                #expect(gone.status == 204)
            }
            try await keeper.watchDisk()
            #expect(live.node.health.mode == .normal)
            #expect(try await Self.add(honest, live) == 201)
            try await keeper.watchDisk()
            #expect(live.directory.reserve.isHeld)
            let path = "/api/v1/entries/\(entry.id)/fields/\(try entry.field("user name").id)"
            let read: FieldValueBody = try await live.send("GET", path, token: honest.token).json()
            #expect(read.value == "alice")
            #expect(try await live.node.verification.run(live.node.store.database).findings == [])
        }
    }

    /// The room that the reserve gave is for what takes access away, after a restart too.
    @Test func aRestartDoesNotGiveTheReserveToWhoeverFillsTheDisk() async throws {
        let disk = try Disk()
        let directory = disk.directory
        let person = try await LiveNode.with(directory: directory) { live in
            let keeper = Self.keeper(live)
            try await keeper.watchDisk()
            let people = [try await Person.register(live), try await Person.register(live)]
            try await Self.fill(live, people)
            try await keeper.watchDisk()
            return people[0]
        }
        try await LiveNode.with(directory: directory) { live in
            try await Self.keeper(live).watchDisk()
            #expect(live.node.health.mode == .readOnly(.diskFull))
            #expect(try await Self.add(person, live) == 503)
            let sessions = try await live.send("GET", "/api/v1/sessions", token: person.token)
            #expect(sessions.status == 200)
            #expect(try await live.send("DELETE", "/api/v1/account", token: person.token).status == 204)
        }
    }

    /// Whoever reads as fast as he can leaves room for whoever takes his access away.
    @Test func readsEndBeforeRevocationsDo() async throws {
        let disk = try Disk()
        let ballast = disk.scratch.path("ballast")
        try await LiveNode.with(directory: disk.directory) { live in
            let keeper = Self.keeper(live)
            try await keeper.watchDisk()
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            let key = try entry.field("API key").id
            let robot = try await honest.agent(
                live,
                AgentWriteBody(name: "bot", grants: [GrantBody(entry: entry.id, fields: .only([key]))], verbs: ["read"])
            )
            try await Self.fill(live, people)
            try await keeper.watchDisk()
            // Something else on the machine takes what is free, but for nine MiB.
            let free = try #require(FileFacts.freeSpace(live.directory.path))
            #expect(File.allocate(ballast, free - 9 << 20))
            let path = "/api/v1/entries/\(entry.id)/fields/\(key)"
            var reads = 0
            while reads < 20_000, try await live.send("GET", path, token: robot.token).status == 200 { reads += 1 }
            #expect(reads > 0 && reads < 20_000)
            #expect(try await live.send("GET", path, token: honest.token).status == 503)
            // A session whose last use is not noted any more is one all the same.
            try await live.node.store.database.maintain {
                try $0.script("UPDATE credential SET last_used = last_used - 90")
            }
            #expect(try await live.send("GET", "/api/v1/sessions", token: honest.token).status == 200)
            let paused = try await live.send(
                "PATCH", "/api/v1/agents/\(robot.id)", token: honest.token, json: AgentWriteBody(paused: true))
            #expect(paused.status == 200)
            #expect(try #require(FileFacts.freeSpace(live.directory.path)) > 7 << 20)
            let again = try await honest.login(live)
            let revoked = try await live.send("DELETE", "/api/v1/agents/\(robot.id)", token: again.token)
            #expect(revoked.status == 200)
            for person in people {
                #expect(try await live.send("DELETE", "/api/v1/account", token: person.token).status == 204)
            }
            try await keeper.watchDisk()
            #expect(live.node.health.mode == .normal && live.directory.reserve.isHeld)
        }
    }
}
