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

/// Requests on a full disk: which still work, and in which order they stop.
@Suite(.timeLimit(.minutes(15)), .enabled(if: geteuid() == 0, "needs root for a small file system"), .serialized)
struct SmallDiskTests {
    /// A fast reader must leave space for the revocation of its access.
    @Test func readsStopBeforeRevocations() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            let entry = try await honest.createLogin(live)
            let key = try entry.field("API key").id
            let robot = try await honest.agent(
                live,
                AgentWriteBody(name: "bot", grants: [GrantBody(entry: entry.id, fields: .only([key]))], verbs: ["read"])
            )
            try await SmallDisk.fill(live, people)
            try await maintenance.checkDiskSpace()
            // Another program uses all but nine MiB.
            try SmallDisk.leave(9 << 20, live, in: disk)
            let path = "/api/v1/entries/\(entry.id)/fields/\(key)"
            var reads = 0
            while reads < 20_000, try await live.send("GET", path, token: robot.token).status == 200 { reads += 1 }
            #expect(reads > 0 && reads < 20_000)
            #expect(try await live.send("GET", path, token: honest.token).status == 503)
            // A session is valid although its last use is no longer recorded.
            try await live.node.store.database.maintain {
                try $0.script("INSERT OR REPLACE INTO last_use SELECT id, created - 90 FROM credential")
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
            try await maintenance.checkDiskSpace()
            #expect(live.node.health.mode == .normal && live.directory.reserve.isAllocated)
        }
    }

    /// Requests that revoke nothing must not use the last bytes.
    @Test func requestsThatRevokeNothingUseNoSpace() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            #expect(try await SmallDisk.removeKit(honest, live) == 204)
            try await SmallDisk.fill(live, people)
            try await maintenance.checkDiskSpace()
            try SmallDisk.leave(6 << 20, live, in: disk)
            for _ in 0..<20 { #expect(try await SmallDisk.removeKit(honest, live) == 503) }
            // Neither must unknown tokens.
            let lines = live.node.journal.head.chain.sequence
            for _ in 0..<20 {
                let unauthenticated = try await live.send("GET", "/api/v1/entries", token: Token(.agent).text)
                #expect(unauthenticated.status == 503)
            }
            #expect(live.node.journal.head.chain.sequence == lines)
            #expect(try await live.send("DELETE", "/api/v1/account", token: honest.token).status == 204)
        }
    }

    /// Trashing frees little and adds an audit line: many deletions must leave space for another tenant's revocation.
    @Test func manyDeletionsLeaveSpaceForOthersRevocations() async throws {
        try await SmallDisk.with { disk, live, maintenance in
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
            try await SmallDisk.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.checkDiskSpace()
            try await maintenance.checkDiskSpace()
            try SmallDisk.leave(4 << 20, live, in: disk)
            var trashed = 0
            for entry in entries.dropLast() {
                let answer = try await live.send(
                    "DELETE", "/api/v1/entries/\(entry.id)", token: hostile.token, headers: ["if-match": "\"1\""])
                if answer.status == 204 { trashed += 1 }
            }
            // The WAL is truncated after each, so that each uses only the space of a line.
            #expect(trashed == entries.count - 1, "\(trashed)")
            #expect(try #require(FileStatus.freeSpace(live.directory.path)) > 3 << 20)
            try SmallDisk.leave(3 << 20, live, in: disk)
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

    /// A secret is verified only where a failure can be recorded.
    @Test func noGuessIsForgivenOnAFullDisk() async throws {
        let disk = try SmallDisk.Disk()
        let directory = disk.directory
        let person = try await LiveNode.with(directory: directory) { live in
            let maintenance = SmallDisk.maintenance(live)
            try await maintenance.checkDiskSpace()
            let honest = try await Person.register(live)
            try await SmallDisk.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.checkDiskSpace()
            try SmallDisk.leave(5 << 20, live, in: disk)
            return honest
        }
        // Each start is a new process; the limits are read from disk.
        var evaluated = 0
        for _ in 0..<3 {
            evaluated += try await LiveNode.with(directory: directory) { live in
                live.node.health.note(.diskFull)
                var count = 0
                for _ in 0..<12 where try await SmallDisk.guess(person, live) == 401 { count += 1 }
                return count
            }
        }
        #expect((5...12).contains(evaluated), "\(evaluated)")
        try await LiveNode.with(directory: directory) { live in
            live.node.health.note(.diskFull)
            try SmallDisk.leave(1 << 20, live, in: disk)
            // Right and wrong secrets get the same response.
            #expect(try await SmallDisk.guess(person, live) != 401)
            let right = LoginBody(email: person.email, authKey: Base64URL.encode(person.authKey))
            #expect(try await live.send("POST", "/api/v1/sessions", json: right).status != 201)
        }
    }

    /// The sign-ins of one tenant are bounded while the disk is full.
    @Test func signInsOfATenantAreBoundedOnAFullDisk() async throws {
        try await SmallDisk.with { disk, live, maintenance in
            let people = [try await Person.register(live), try await Person.register(live)]
            let honest = try await Person.register(live)
            try await SmallDisk.fill(live, people)
            try await maintenance.checkDiskSpace()
            try SmallDisk.leave(7 << 20, live, in: disk)
            var signedIn = 0
            for _ in 0..<40 {
                let body = LoginBody(email: people[0].email, authKey: Base64URL.encode(people[0].authKey))
                if try await live.send("POST", "/api/v1/sessions", json: body).status == 201 { signedIn += 1 }
            }
            #expect((1...12).contains(signedIn), "\(signedIn)")
            _ = try await honest.login(live)
        }
    }

    /// Without space for a revocation nobody can read, not even titles.
    @Test func withoutSpaceForRevocationsNothingIsRead() async throws {
        try await SmallDisk.with { disk, live, maintenance in
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
            try await SmallDisk.fill(live, [try await Person.register(live), try await Person.register(live)])
            try await maintenance.checkDiskSpace()
            try await maintenance.checkDiskSpace()
            #expect(try await live.send("GET", "/api/v1/entries", token: robot.token).status == 200)
            let ballast = disk.scratch.file("ballast")
            #expect(File.allocate(ballast, try #require(FileStatus.freeSpace(live.directory.path))))
            // The WAL may have a little free space of its own.
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
}
