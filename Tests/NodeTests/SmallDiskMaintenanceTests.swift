import Auth
import Backup
import Encoding
import Files
import Foundation
import Logging
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

/// Maintenance on a full disk: reserve, backups, purges and the WAL.
@Suite(.timeLimit(.minutes(15)), .enabled(if: geteuid() == 0, "needs root for a small file system"), .serialized)
struct SmallDiskMaintenanceTests {
    /// Space of deleted data returns to the disk, although the file had it.
    @Test func deletionsEndTheFullDiskMode() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            #expect(live.directory.reserve.isAllocated)
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            try await SmallDisk.fill(live, people)
            try await maintenance.checkDiskSpace()
            #expect(!live.directory.reserve.isAllocated)
            try await maintenance.checkDiskSpace()
            #expect(live.node.health.mode == .readOnly(.diskFull), "there is no more room than before")
            for person in people {
                let gone = try await live.send("DELETE", "/api/v1/account", token: person.token)
                #expect(gone.status == 204)
            }
            try await maintenance.checkDiskSpace()
            #expect(live.node.health.mode == .normal)
            #expect(try await SmallDisk.add(honest, live) == 201)
            try await maintenance.checkDiskSpace()
            #expect(live.directory.reserve.isAllocated)
            let path = "/api/v1/entries/\(entry.id)/fields/\(try entry.field("user name").id)"
            let read: FieldValueBody = try await live.send("GET", path, token: honest.token).json()
            #expect(read.value == "alice")
            #expect(try await live.node.verification.run(live.node.store.database).findings == [])
        }
    }

    /// The released reserve is for revocations, also after a restart.
    @Test func aRestartDoesNotGiveTheReserveToWhoeverFillsTheDisk() async throws {
        let disk = try SmallDisk.Disk()
        let directory = disk.directory
        let person = try await LiveNode.with(directory: directory) { live in
            let maintenance = SmallDisk.maintenance(live)
            try await maintenance.checkDiskSpace()
            let people = [try await Person.register(live), try await Person.register(live)]
            try await SmallDisk.fill(live, people)
            try await maintenance.checkDiskSpace()
            return people[0]
        }
        try await LiveNode.with(directory: directory) { live in
            try await SmallDisk.maintenance(live).checkDiskSpace()
            #expect(live.node.health.mode == .readOnly(.diskFull))
            #expect(try await SmallDisk.add(person, live) == 503)
            let sessions = try await live.send("GET", "/api/v1/sessions", token: person.token)
            #expect(sessions.status == 200)
            #expect(try await live.send("DELETE", "/api/v1/account", token: person.token).status == 204)
        }
    }

    /// A backup uses no reserved space, and leaves no file when it fails.
    @Test func noBackupIsMadeWhereItWouldFillTheDisk() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let person = try await Person.register(live)
            let folder = disk.scratch.file("backups")
            let recipient = try AgeRecipient("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
            let job = BackupJob(node: live.node, folder: BackupFolder(path: folder), recipients: [recipient], keep: nil)
            _ = try await job.run()
            try SmallDisk.leave(60 << 20, live, in: disk)
            await #expect(throws: BackupError.self) { try await job.run() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
            File.remove(disk.scratch.file("ballast"))
            live.node.health.note(.diskFull)
            await #expect(throws: BackupUnavailable.readOnly) { try await job.run() }
            _ = person
        }
    }

    /// A purge without enough space is rejected before it writes, and the WAL never keeps the last bytes.
    @Test func aLargePurgeDoesNotFillTheDisk() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let hostile = try await Person.register(live)
            let entry = try await hostile.create(live, SmallDisk.large(fields: 60))
            let path = "/api/v1/entries/\(entry.id)"
            let trashed = try await live.send(
                "DELETE", path, token: hostile.token, headers: ["if-match": "\"1\""])
            #expect(trashed.status == 204)
            let honest = try await Person.register(live)
            try await SmallDisk.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.checkDiskSpace()
            try await maintenance.checkDiskSpace()
            try SmallDisk.leave(11 << 20, live, in: disk)
            for _ in 0..<20 {
                let purge = try await live.send("DELETE", "/api/v1/trash/\(entry.id)", token: hostile.token)
                #expect(purge.status == 503)
            }
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 10 << 20)
            _ = try await honest.login(live)
            // The account is erased in batches that fit.
            #expect(try await live.send("DELETE", "/api/v1/account", token: hostile.token).status == 204)
            try await live.node.store.eraseClosedAccounts()
            let left = try await live.node.store.database.read { db in
                try db.first("SELECT count(*) FROM value WHERE vault = ?", .blob(hostile.vault.bytes)) { $0.int(0) }
            }
            #expect(left == 0)
        }
    }

    /// Old trash that cannot be deleted at once is deleted one entry at a time.
    @Test func oldTrashIsDeletedInBatchesThatFit() async throws {
        let disk = try SmallDisk.Disk()
        let moments = Moments(unixTime())
        try await LiveNode.with(now: moments.source, directory: disk.directory) { live in
            let person = try await Person.register(live)
            for _ in 0..<3 {
                let entry = try await person.create(live, SmallDisk.large(fields: 60))
                let trashed = try await live.send(
                    "DELETE", "/api/v1/entries/\(entry.id)", token: person.token, headers: ["if-match": "\"1\""])
                #expect(trashed.status == 204)
            }
            try SmallDisk.leave(18 << 20, live, in: disk)
            moments.advance(by: 400 * 86_400)
            try await Expiry(node: live.node).run()
            let left = try await live.node.store.database.read { db in
                try db.first("SELECT count(*) FROM entry") { $0.int(0) }
            }
            #expect(left == 0 && live.node.health.mode == .normal)
        }
    }

    /// Another program took the last bytes while the WAL was long: the log reserve lets it be truncated.
    @Test func aWALThatFillsTheDiskIsTruncated() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let honest = try await Person.register(live)
            _ = await live.node.store.limitWAL(true)
            _ = await live.node.store.limitWAL(false)
            _ = try await honest.create(live, SmallDisk.large(fields: 12))
            let log = "\(live.directory.database)-wal"
            #expect(try #require(FileStatus.size(log)) > 1 << 19)
            live.node.health.note(.diskFull)
            _ = live.directory.reserve.release()
            try SmallDisk.leave(0, live, in: disk)
            #expect(await !live.node.store.limitWAL(true))
            try await maintenance.checkDiskSpace()
            #expect(FileStatus.size(log) ?? 0 == 0)
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 1 << 20)
        }
    }
}
