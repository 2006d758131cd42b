import Encoding
import Files
import Foundation
import Logging
import NodeCore
import ServerRuntime
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

@testable import clavitor_node

/// A 128 MiB tmpfs that tenants fill. Mounting it requires root.
enum SmallDisk {
    final class Disk: Sendable {
        let scratch: Scratch
        private let mount: TemporaryMount

        init() throws {
            scratch = try Scratch()
            mount = try TemporaryMount(at: scratch.path, size: "128m")
        }

        var directory: DataDirectory { DataDirectory(path: scratch.file("data"), rootKey: nil) }
    }

    static func maintenance(_ live: LiveNode) -> Maintenance {
        Maintenance(
            node: live.node, directory: live.directory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func add(_ person: Person, _ live: LiveNode) async throws -> Int {
        Int(try await live.send("POST", "/api/v1/entries", token: person.token, json: large(fields: 60)).status)
    }

    /// An entry with this many fields of 60 kB.
    static func large(fields count: Int) -> EntryWriteBody {
        let value = String(repeating: "x", count: 60_000)
        let fields = (0..<count).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: value) }
        return EntryWriteBody(title: "large", type: "note", fields: fields)
    }

    /// Runs `body` on a disk with free space and a reserve.
    static func with(
        _ body: @escaping @Sendable (Disk, LiveNode, Maintenance) async throws -> Void
    ) async throws {
        let disk = try Disk()
        try await LiveNode.with(directory: disk.directory) { live in
            let maintenance = maintenance(live)
            try await maintenance.checkDiskSpace()
            try await body(disk, live, maintenance)
        }
    }

    /// Creates entries until the disk is full.
    static func fill(_ live: LiveNode, _ people: [Person]) async throws {
        for person in people {
            for _ in 0..<40 where try await add(person, live) != 201 { break }
        }
        #expect(live.node.health.mode == .readOnly(.diskFull))
    }

    /// Leaves this many bytes free, as if another program had written the rest.
    static func leave(_ bytes: Int64, _ live: LiveNode, in disk: Disk) throws {
        let ballast = disk.scratch.file("ballast")
        File.remove(ballast)
        let free = try #require(FileStatus.freeSpace(live.directory.path))
        #expect(File.allocate(ballast, free - bytes))
    }

    static func removeKit(_ person: Person, _ live: LiveNode) async throws -> Int {
        let proof = ProofBody(kind: "password", secret: Base64URL.encode(person.authKey), code: nil)
        let answer = try await live.send(
            "DELETE", "/api/v1/account/recovery", token: person.token, json: ProvenBody(proof: proof))
        return Int(answer.status)
    }

    static func guess(_ person: Person, _ live: LiveNode) async throws -> Int {
        let wrong = LoginBody(email: person.email, authKey: Base64URL.encode(random(32)))
        return Int(try await live.send("POST", "/api/v1/sessions", json: wrong).status)
    }
}
