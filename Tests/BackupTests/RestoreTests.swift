import Backup
import Files
import Foundation
import TestSupport
import Testing

@Suite struct RestoreTests {
    struct NotADatabase: Error {}

    let scratch: Scratch
    let identity = AgeIdentity.generate()
    let source: String
    let target: String

    init() throws {
        scratch = try Scratch()
        source = try scratch.write(try AgeFile.encrypt(pattern(100_000), to: [identity.recipient]), to: "backup.age")
        try FileManager.default.createDirectory(atPath: scratch.file("data"), withIntermediateDirectories: false)
        target = scratch.file("data/vault.db")
    }

    private func restore(verify: (String) async throws -> Void = { _ in }) async throws {
        try await BackupFolder.restore(from: source, to: target, identities: [identity], verify: verify)
    }

    @Test func theTargetIsPrivateAndComplete() async throws {
        var seen: String?
        try await restore { path in
            seen = path
            #expect(FileManager.default.contents(atPath: path) == Data(pattern(100_000)))
            #expect(!FileManager.default.fileExists(atPath: target))
        }
        #expect(seen?.hasPrefix(scratch.file("data/.")) == true)
        #expect(scratch.names(in: "data") == ["vault.db"])
        #expect(scratch.content("data/vault.db") == pattern(100_000))
        #expect(scratch.mode("data/vault.db") == 0o600)
    }

    @Test(arguments: ["", "-wal", "-shm", "-journal"]) func existingFilesAreNotReplaced(suffix: String) async throws {
        try scratch.write([1], to: "data/vault.db\(suffix)")
        await #expect(throws: BackupError.targetExists(target + suffix)) {
            try await restore { _ in Issue.record("went on") }
        }
        #expect(scratch.names(in: "data") == ["vault.db\(suffix)"])
        #expect(scratch.content("data/vault.db\(suffix)") == [1])
    }

    @Test func aDanglingLinkIsNotReplaced() async throws {
        try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: "nowhere")
        await #expect(throws: BackupError.targetExists(target)) { try await restore() }
        #expect(scratch.names(in: "data") == ["vault.db"])
    }

    @Test(arguments: ["", "-wal"]) func filesThatAppearMeanwhileAreNotReplaced(suffix: String) async throws {
        await #expect(throws: BackupError.targetExists(target + suffix)) {
            try await restore { _ in try scratch.write([1], to: "data/vault.db\(suffix)") }
        }
        #expect(scratch.names(in: "data") == ["vault.db\(suffix)"])
        #expect(scratch.content("data/vault.db\(suffix)") == [1])
    }

    @Test func aRejectedFileLeavesNoFiles() async throws {
        await #expect(throws: NotADatabase.self) {
            try await restore { path in
                for suffix in ["-wal", "-shm", "-journal"] {
                    try Data([1]).write(to: URL(fileURLWithPath: path + suffix))
                }
                throw NotADatabase()
            }
        }
        #expect(scratch.names(in: "data") == [])
    }

    @Test func verifyMayChangeTheFile() async throws {
        try await restore { path in
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.truncate(atOffset: 3)
            try file.close()
        }
        #expect(scratch.content("data/vault.db") == Array(pattern(3)))
    }

    @Test func verifyMustNotLeaveALogBehind() async throws {
        await #expect(throws: BackupError.unfinishedTransaction) {
            try await restore { try Data([1]).write(to: URL(fileURLWithPath: $0 + "-wal")) }
        }
        #expect(scratch.names(in: "data") == [])
    }

    @Test func aDamagedBackupLeavesNoFiles() async throws {
        var bytes = try scratch.read("backup.age")
        bytes[bytes.count - 1] ^= 1
        try scratch.write(bytes, to: "backup.age")
        await #expect(throws: AgeError.payloadAltered(chunk: 1)) {
            try await restore { _ in Issue.record("verified a damaged file") }
        }
        #expect(scratch.names(in: "data") == [])
    }

    @Test func aWrongIdentityLeavesNoFiles() async throws {
        await #expect(throws: AgeError.wrongIdentity) {
            try await BackupFolder.restore(from: source, to: target, identities: [.generate()]) { _ in }
        }
        #expect(scratch.names(in: "data") == [])
    }

    @Test func aMissingBackupIsNamed() async throws {
        let path = scratch.file("none.age")
        await #expect(throws: SystemCallError(call: "open", path: path, code: 2)) {
            try await BackupFolder.restore(from: path, to: target, identities: [identity]) { _ in }
        }
        #expect(scratch.names(in: "data") == [])
    }

    @Test func leftoversOfACrashAreRemoved() async throws {
        try scratch.write([1], to: "data/.clavitor-restore-1")
        try scratch.write([1], to: "data/.clavitor-restore-1-wal")
        try scratch.write([1], to: "data/.clavitor-backup-1")
        try await restore()
        #expect(scratch.names(in: "data") == [".clavitor-backup-1", "vault.db"])
    }
}
