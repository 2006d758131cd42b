import Auth
import Backup
import Encoding
import Files
import Foundation
import Logging
import NodeCore
import RootKeySources
import SQLite
import Serving
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

@testable import clavitor_node

/// A disk of 128 MiB that tenants fill. A file system in memory stands for it, which takes root.
@Suite(.timeLimit(.minutes(15)), .enabled(if: geteuid() == 0, "needs root for a small file system"), .serialized)
struct SmallDiskTests {
    private final class Disk: Sendable {
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

    private static func maintenance(_ live: LiveNode) -> Maintenance {
        Maintenance(
            node: live.node, directory: live.directory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func add(_ person: Person, _ live: LiveNode) async throws -> Int {
        Int(try await live.send("POST", "/api/v1/entries", token: person.token, json: large(fields: 60)).status)
    }

    /// An entry of so many fields of 60 kB.
    private static func large(fields count: Int) -> EntryWriteBody {
        let value = String(repeating: "x", count: 60_000)
        let fields = (0..<count).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: value) }
        return EntryWriteBody(title: "large", type: "note", fields: fields)
    }

    /// On a disk that has room and a reserve.
    private static func with(
        _ body: @escaping @Sendable (Disk, LiveNode, Maintenance) async throws -> Void
    ) async throws {
        let disk = try Disk()
        try await LiveNode.with(directory: disk.directory) { live in
            let maintenance = maintenance(live)
            try await maintenance.watchDisk()
            try await body(disk, live, maintenance)
        }
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
        try await Self.with { disk, live, maintenance in
            #expect(live.directory.reserve.isAllocated)
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            try await Self.fill(live, people)
            try await maintenance.watchDisk()
            #expect(!live.directory.reserve.isAllocated)
            try await maintenance.watchDisk()
            #expect(live.node.health.mode == .readOnly(.diskFull), "there is no more room than before")
            for person in people {
                let gone = try await live.send("DELETE", "/api/v1/account", token: person.token)
                #expect(gone.status == 204)
            }
            try await maintenance.watchDisk()
            #expect(live.node.health.mode == .normal)
            #expect(try await Self.add(honest, live) == 201)
            try await maintenance.watchDisk()
            #expect(live.directory.reserve.isAllocated)
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
            let maintenance = Self.maintenance(live)
            try await maintenance.watchDisk()
            let people = [try await Person.register(live), try await Person.register(live)]
            try await Self.fill(live, people)
            try await maintenance.watchDisk()
            return people[0]
        }
        try await LiveNode.with(directory: directory) { live in
            try await Self.maintenance(live).watchDisk()
            #expect(live.node.health.mode == .readOnly(.diskFull))
            #expect(try await Self.add(person, live) == 503)
            let sessions = try await live.send("GET", "/api/v1/sessions", token: person.token)
            #expect(sessions.status == 200)
            #expect(try await live.send("DELETE", "/api/v1/account", token: person.token).status == 204)
        }
    }

    /// Whoever reads as fast as he can leaves room for whoever takes his access away.
    @Test func readsEndBeforeRevocationsDo() async throws {
        try await Self.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            let key = try entry.field("API key").id
            let robot = try await honest.agent(
                live,
                AgentWriteBody(name: "bot", grants: [GrantBody(entry: entry.id, fields: .only([key]))], verbs: ["read"])
            )
            try await Self.fill(live, people)
            try await maintenance.watchDisk()
            // Something else on the machine takes what is free, but for nine MiB.
            try Self.leave(9 << 20, live, in: disk)
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
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 7 << 20)
            let again = try await honest.login(live)
            let revoked = try await live.send("DELETE", "/api/v1/agents/\(robot.id)", token: again.token)
            #expect(revoked.status == 200)
            for person in people {
                #expect(try await live.send("DELETE", "/api/v1/account", token: person.token).status == 204)
            }
            try await maintenance.watchDisk()
            #expect(live.node.health.mode == .normal && live.directory.reserve.isAllocated)
        }
    }

    /// Leaves so many bytes free, by what something else on the machine writes.
    private static func leave(_ bytes: Int64, _ live: LiveNode, in disk: Disk) throws {
        let ballast = disk.scratch.path("ballast")
        File.remove(ballast)
        let free = try #require(FileStatus.freeSpace(live.directory.path))
        #expect(File.allocate(ballast, free - bytes))
    }

    private static func removeKit(_ person: Person, _ live: LiveNode) async throws -> Int {
        let proof = ProofBody(kind: "password", secret: Base64URL.encode(person.authKey), code: nil)
        let answer = try await live.send(
            "DELETE", "/api/v1/account/recovery", token: person.token, json: ProvenBody(proof: proof))
        return Int(answer.status)
    }

    /// What finds nothing to take away is none of what the last bytes are for, however often it is asked for.
    @Test func whatTakesNothingAwayTakesNoRoom() async throws {
        try await Self.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            #expect(try await Self.removeKit(honest, live) == 204)
            try await Self.fill(live, people)
            try await maintenance.watchDisk()
            try Self.leave(6 << 20, live, in: disk)
            for _ in 0..<20 { #expect(try await Self.removeKit(honest, live) == 503) }
            // Nor do tokens that nobody has, and what strangers guess.
            let lines = live.node.journal.head.chain.sequence
            for _ in 0..<20 {
                let stranger = try await live.send("GET", "/api/v1/entries", token: Token(.agent).text)
                #expect(stranger.status == 503)
            }
            #expect(live.node.journal.head.chain.sequence == lines)
            #expect(try await live.send("DELETE", "/api/v1/account", token: honest.token).status == 204)
        }
    }

    /// Trash frees little and leaves a line: whoever has much to delete leaves room for whoever has one agent to revoke.
    @Test func whoDeletesMuchLeavesRoomForWhoRevokesOne() async throws {
        try await Self.with { disk, live, maintenance in
            let hostile = try await Person.register(live)
            _ = try await hostile.agent(
                live, AgentWriteBody(name: "bot", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read"]))
            var entries: [EntryBody] = []
            for number in 0..<140 {
                let entry = EntryWriteBody(
                    title: "\(number)", type: "note", tags: ["t"],
                    fields: [FieldWriteBody(label: "f", kind: "text", tier: 1, value: "v")])
                entries.append(try await hostile.create(live, entry))
            }
            let honest = try await Person.register(live)
            let robot = try await honest.agent(
                live, AgentWriteBody(name: "bot", grants: [GrantBody(tag: "none", labels: .all)], verbs: ["read"]))
            try await Self.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.watchDisk()
            try await maintenance.watchDisk()
            try Self.leave(4 << 20, live, in: disk)
            var trashed = 0
            for entry in entries.dropLast() {
                let answer = try await live.send(
                    "DELETE", "/api/v1/entries/\(entry.id)", token: hostile.token, headers: ["if-match": "\"1\""])
                if answer.status == 204 { trashed += 1 }
            }
            // The log is cut after each, so that a line is all that each takes.
            #expect(trashed == entries.count - 1, "\(trashed)")
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 3 << 20)
            try Self.leave(3 << 20, live, in: disk)
            let last = try #require(entries.last)
            let refused = try await live.send(
                "DELETE", "/api/v1/entries/\(last.id)", token: hostile.token, headers: ["if-match": "\"1\""])
            #expect(refused.status == 503)
            _ = try await honest.login(live)
            let revoked = try await live.send("DELETE", "/api/v1/agents/\(robot.id)", token: honest.token)
            #expect(revoked.status == 200)
            #expect(try await live.send("DELETE", "/api/v1/account", token: hostile.token).status == 204)
        }
    }

    /// A secret is looked at where it can be written down that it was wrong, and nowhere else.
    @Test func noGuessIsForgivenOnAFullDisk() async throws {
        let disk = try Disk()
        let directory = disk.directory
        let person = try await LiveNode.with(directory: directory) { live in
            let maintenance = Self.maintenance(live)
            try await maintenance.watchDisk()
            let honest = try await Person.register(live)
            try await Self.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.watchDisk()
            try Self.leave(5 << 20, live, in: disk)
            return honest
        }
        // Each start is a new process to the limits; what they know is on the disk.
        var evaluated = 0
        for _ in 0..<3 {
            evaluated += try await LiveNode.with(directory: directory) { live in
                live.node.health.note(.diskFull)
                var count = 0
                for _ in 0..<12 where try await Self.guess(person, live) == 401 { count += 1 }
                return count
            }
        }
        #expect((5...12).contains(evaluated), "\(evaluated)")
        try await LiveNode.with(directory: directory) { live in
            live.node.health.note(.diskFull)
            try Self.leave(1 << 20, live, in: disk)
            // Right or wrong, the answer is the same.
            #expect(try await Self.guess(person, live) != 401)
            let right = LoginBody(email: person.email, authKey: Base64URL.encode(person.authKey))
            #expect(try await live.send("POST", "/api/v1/sessions", json: right).status != 201)
        }
    }

    private static func guess(_ person: Person, _ live: LiveNode) async throws -> Int {
        let wrong = LoginBody(email: person.email, authKey: Base64URL.encode(random(32)))
        return Int(try await live.send("POST", "/api/v1/sessions", json: wrong).status)
    }

    /// One tenant's sign-ins are few while the disk is full.
    @Test func signInsLeaveRoomForOthers() async throws {
        try await Self.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            try await Self.fill(live, people)
            try await maintenance.watchDisk()
            try Self.leave(7 << 20, live, in: disk)
            var signedIn = 0
            for _ in 0..<40 {
                let body = LoginBody(email: people[0].email, authKey: Base64URL.encode(people[0].authKey))
                if try await live.send("POST", "/api/v1/sessions", json: body).status == 201 { signedIn += 1 }
            }
            #expect((1...12).contains(signedIn), "\(signedIn)")
            _ = try await honest.login(live)
        }
    }

    /// Where not even a revocation finds room, nobody reads, titles neither.
    @Test func whereNothingCanBeTakenAwayNothingIsRead() async throws {
        try await Self.with { disk, live, maintenance in
            let honest = try await Person.register(live)
            _ = try await honest.createLogin(live)
            var robots: [AgentTokenBody] = []
            for number in 0..<20 {
                robots.append(
                    try await honest.agent(
                        live,
                        AgentWriteBody(
                            name: "\(number)", grants: [GrantBody(tag: "none", labels: .all)], verbs: ["read"])))
            }
            let robot = robots[0]
            try await Self.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.watchDisk()
            try await maintenance.watchDisk()
            #expect(try await live.send("GET", "/api/v1/entries", token: robot.token).status == 200)
            let ballast = disk.scratch.path("ballast")
            #expect(File.allocate(ballast, try #require(FileStatus.freeSpace(live.directory.path))))
            // The log may have a little room of its own.
            for agent in robots.dropFirst() where !live.node.health.isExhausted {
                let path = "/api/v1/agents/\(agent.id)"
                _ = try await live.send("PATCH", path, token: honest.token, json: AgentWriteBody(paused: true))
            }
            #expect(live.node.health.isExhausted)
            #expect(try await live.send("GET", "/api/v1/entries", token: honest.token).status == 503)
            #expect(try await live.send("GET", "/api/v1/entries", token: robot.token).status == 503)
            File.remove(ballast)
            #expect(try await live.send("DELETE", "/api/v1/agents/\(robot.id)", token: honest.token).status == 200)
            #expect(try await live.send("GET", "/api/v1/entries", token: honest.token).status == 200)
        }
    }

    /// A backup takes none of the room that is kept, and leaves nothing behind when there is none.
    @Test func noBackupIsMadeWhereItWouldFillTheDisk() async throws {
        try await Self.with { disk, live, maintenance in
            let person = try await Person.register(live)
            let folder = disk.scratch.path("backups")
            let recipient = try AgeRecipient("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
            let job = BackupJob(node: live.node, folder: BackupFolder(path: folder), recipients: [recipient], keep: nil)
            _ = try await job.run()
            try Self.leave(60 << 20, live, in: disk)
            await #expect(throws: BackupError.self) { try await job.run() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
            File.remove(disk.scratch.path("ballast"))
            live.node.health.note(.diskFull)
            await #expect(throws: BackupRefusal.readOnly) { try await job.run() }
            _ = person
        }
    }

    /// A purge that the disk has no room for is refused before it writes, and the log never keeps the last byte.
    @Test func aLargePurgeDoesNotFillTheDisk() async throws {
        try await Self.with { disk, live, maintenance in
            let hostile = try await Person.register(live)
            let entry = try await hostile.create(live, Self.large(fields: 60))
            let path = "/api/v1/entries/\(entry.id)"
            let trashed = try await live.send(
                "DELETE", path, token: hostile.token, headers: ["if-match": "\"1\""])
            #expect(trashed.status == 204)
            let honest = try await Person.register(live)
            try await Self.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.watchDisk()
            try await maintenance.watchDisk()
            try Self.leave(11 << 20, live, in: disk)
            for _ in 0..<20 {
                let purge = try await live.send("DELETE", "/api/v1/trash/\(entry.id)", token: hostile.token)
                #expect(purge.status == 503)
            }
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 10 << 20)
            _ = try await honest.login(live)
            // The account goes in parts that fit.
            #expect(try await live.send("DELETE", "/api/v1/account", token: hostile.token).status == 204)
            try await live.node.store.eraseClosedAccounts()
            let left = try await live.node.store.database.read { db in
                try db.first("SELECT count(*) FROM value WHERE vault = ?", .blob(hostile.vault.bytes)) { $0.int(0) }
            }
            #expect(left == 0)
        }
    }

    /// Old trash that the disk has no room to delete at once goes an entry at a time.
    @Test func oldTrashGoesInPartsThatFit() async throws {
        let disk = try Disk()
        let moments = Moments(unixTime())
        try await LiveNode.with(now: moments.source, directory: disk.directory) { live in
            let person = try await Person.register(live)
            for _ in 0..<3 {
                let entry = try await person.create(live, Self.large(fields: 60))
                let trashed = try await live.send(
                    "DELETE", "/api/v1/entries/\(entry.id)", token: person.token, headers: ["if-match": "\"1\""])
                #expect(trashed.status == 204)
            }
            try Self.leave(18 << 20, live, in: disk)
            moments.advance(by: 400 * 86_400)
            try await Expiry(node: live.node).run()
            let left = try await live.node.store.database.read { db in
                try db.first("SELECT count(*) FROM entry") { $0.int(0) }
            }
            #expect(left == 0 && live.node.health.mode == .normal)
        }
    }

    /// Something else took the last byte while the log was long: what is held for that lets it be cut.
    @Test func aLogThatFillsTheDiskIsCut() async throws {
        try await Self.with { disk, live, maintenance in
            let honest = try await Person.register(live)
            _ = await live.node.store.limitWAL(true)
            _ = await live.node.store.limitWAL(false)
            _ = try await honest.create(live, Self.large(fields: 12))
            let log = "\(live.directory.database)-wal"
            #expect(try #require(FileStatus.size(log)) > 1 << 19)
            live.node.health.note(.diskFull)
            _ = live.directory.reserve.release()
            try Self.leave(0, live, in: disk)
            #expect(await !live.node.store.limitWAL(true))
            try await maintenance.watchDisk()
            #expect(FileStatus.size(log) ?? 0 == 0)
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 1 << 20)
        }
    }
}
