import Backup
import Foundation
import TestSupport
import Testing

@Suite struct BackupFolderTests {
    struct CopyFailed: Error {}

    static let now = Date(timeIntervalSince1970: 1_709_312_400)
    static let name = "clavitor-20240301T170000Z.db.age"

    let scratch: Scratch
    let folder: BackupFolder
    let identity = AgeIdentity.generate()

    init() throws {
        scratch = try Scratch()
        folder = BackupFolder(path: scratch.file("backups"))
    }

    private func write(_ bytes: [UInt8], now: Date = now) async throws -> BackupFolder.Written {
        try await folder.write(recipients: [identity.recipient], now: now) { path in
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test func aBackupIsOnePrivateFile() async throws {
        let written = try await write(pattern(100_000))
        #expect(scratch.names(in: "backups") == [Self.name])
        #expect(written.name.fileName == Self.name)
        #expect(scratch.mode("backups") == 0o700)
        #expect(scratch.mode("backups/\(Self.name)") == 0o600)
        let file = try scratch.read("backups/\(Self.name)")
        #expect(written.byteCount == Int64(file.count))
        let sum = try run("sha256sum", scratch.file("backups/\(Self.name)"))
        #expect(sum.hasPrefix(written.sha256 + " "))
        #expect(scratch.decrypted("backups/\(Self.name)", with: identity) == pattern(100_000))
    }

    @Test func theCopyIsPrivateAndInTheFolder() async throws {
        var seen: (path: String, mode: Int?, size: Int?)?
        _ = try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            seen = (path, attributes[.posixPermissions] as? Int, attributes[.size] as? Int)
            try Data([1]).write(to: URL(fileURLWithPath: path))
        }
        #expect(seen?.path.hasPrefix(folder.path + "/.") == true)
        #expect(seen?.mode == 0o600)
        #expect(seen?.size == 0)
    }

    @Test func noBackupIsOverwritten() async throws {
        let names = [try await write([1]), try await write([2]), try await write([3])].map(\.name.fileName)
        #expect(names == [Self.name, Self.name.replacing("Z.", with: "Z-1."), Self.name.replacing("Z.", with: "Z-2.")])
        for (index, name) in names.enumerated() {
            #expect(scratch.decrypted("backups/\(name)", with: identity) == [UInt8(index + 1)])
        }
    }

    @Test func concurrentBackupsGetDifferentNames() async throws {
        let names = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<8 {
                group.addTask { try await write([UInt8(number)]).name.fileName }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(names.count == 8)
        #expect(scratch.names(in: "backups") == names.sorted())
        let contents = names.map { scratch.decrypted("backups/\($0)", with: identity) }
        #expect(Set(contents) == Set((0..<8).map { [UInt8($0)] }))
    }

    @Test func aFailedCopyLeavesNoFiles() async throws {
        await #expect(throws: CopyFailed.self) {
            try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
                for suffix in ["", "-wal", "-shm", "-journal"] {
                    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path + suffix))
                }
                throw CopyFailed()
            }
        }
        #expect(scratch.names(in: "backups") == [])
    }

    @Test func anEmptyCopyIsRejected() async throws {
        await #expect(throws: BackupError.emptyCopy) {
            try await folder.write(recipients: [identity.recipient], now: Self.now) { _ in }
        }
        await #expect(throws: BackupError.emptyCopy) {
            try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
                try FileManager.default.removeItem(atPath: path)
            }
        }
        #expect(scratch.names(in: "backups") == [])
    }

    @Test(arguments: ["-wal", "-journal"]) func aCopyWithALogIsRejected(suffix: String) async throws {
        await #expect(throws: BackupError.unfinishedTransaction) {
            try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
                try Data([1]).write(to: URL(fileURLWithPath: path))
                try Data([1]).write(to: URL(fileURLWithPath: path + suffix))
            }
        }
        #expect(scratch.names(in: "backups") == [])
    }

    @Test func aCopyThatReplacesTheFileIsBackedUp() async throws {
        let written = try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        #expect(scratch.decrypted("backups/\(written.name.fileName)", with: identity) == [1, 2, 3])
    }

    @Test func withoutRecipientsOrAClockNothingIsCopied() async throws {
        await #expect(throws: AgeError.noRecipients) {
            try await folder.write(recipients: [], now: Self.now) { _ in Issue.record("copied") }
        }
        await #expect(throws: BackupError.clockOutOfRange) {
            try await folder.write(recipients: [identity.recipient], now: .distantPast) { _ in Issue.record("copied") }
        }
        #expect(scratch.names() == [])
    }

    @Test func leftoversOfACrashAreRemoved() async throws {
        _ = try await write([1])
        for name in [".clavitor-backup-1", ".clavitor-backup-1-wal", ".clavitor-backup-2-shm", ".clavitor-backup-3"] {
            try scratch.write([1, 2, 3], to: "backups/\(name)")
        }
        try scratch.write([1], to: "backups/.other")
        _ = try await write([2], now: Self.now + 1)
        #expect(scratch.names(in: "backups") == [".other", Self.name, Self.name.replacing("00Z", with: "01Z")])
    }

    /// One backup starts while another is still being copied, in this process or in another.
    @Test func aFileInUseIsNotRemovedAsALeftover() async throws {
        let outer = try await folder.write(recipients: [identity.recipient], now: Self.now) { path in
            try Data([1]).write(to: URL(fileURLWithPath: path))
            _ = try await write([2])
            #expect(FileManager.default.fileExists(atPath: path))
        }
        #expect(outer.name.fileName == Self.name.replacing("Z.", with: "Z-1."))
        #expect(scratch.decrypted("backups/\(outer.name.fileName)", with: identity) == [1])
    }

    @Test func onlyBackupsAreListedNewestFirst() async throws {
        let none = try await folder.list()
        #expect(none == [])
        let first = try await write([1])
        let second = try await write([1, 2], now: Self.now + 86_400)
        let third = try await write([1, 2, 3])
        try scratch.write([1], to: "backups/notes.txt")
        try scratch.write([1], to: "backups/\(Self.name).part")
        try FileManager.default.createDirectory(
            atPath: scratch.file("backups/clavitor-20250301T170000Z.db.age"),
            withIntermediateDirectories: false
        )
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("backups/clavitor-20260301T170000Z.db.age"),
            withDestinationPath: "notes.txt"
        )
        let listed = try await folder.list()
        #expect(listed.map(\.name) == [second.name, third.name, first.name])
        #expect(listed.map(\.byteCount) == [second.byteCount, third.byteCount, first.byteCount])
    }

    /// A backup dated ahead by a wrong clock must not prevent the next one, nor hide that it is missing.
    @Test func aBackupDatedInTheFutureIsIgnored() async throws {
        let now = Int64(Self.now.timeIntervalSince1970)
        #expect(try await folder.age(at: now) == nil)
        _ = try await write([1], now: Self.now.addingTimeInterval(400 * 86_400))
        #expect(try await folder.age(at: now) == nil)
        _ = try await write([1], now: Self.now.addingTimeInterval(-7_200))
        #expect(try await folder.age(at: now) == 7_200)
        // It does not count for retention either.
        #expect(try await folder.prune(keep: Retention(last: 1, daily: 1), now: now) == [])
        #expect(try await folder.age(at: now) == 7_200)
        // A small clock skew is accepted.
        _ = try await write([1], now: Self.now.addingTimeInterval(60))
        #expect(try await folder.age(at: now) == 0)
    }

    @Test func pruningRemovesOnlyBackupsAndNeverTheNewest() async throws {
        for day in 0..<5 {
            _ = try await write([1], now: Self.now + Double(day) * 86_400)
        }
        let foreign = [".hidden", "clavitor-20240301T170000Z.db", "clavitor-20240301T170000Z.db.age.part", "notes.txt"]
        for name in foreign { try scratch.write([1], to: "backups/\(name)") }
        let removed = try await folder.prune(keep: Retention(daily: 2), now: 1 << 40)
        #expect(removed.map(\.fileName) == (1...3).map { "clavitor-2024030\($0)T170000Z.db.age" })
        let left = ["clavitor-20240304T170000Z.db.age", "clavitor-20240305T170000Z.db.age"]
        #expect(scratch.names(in: "backups") == (foreign + left).sorted())
        _ = try await folder.prune(keep: Retention(), now: 1 << 40)
        let listed = try await folder.list().map(\.name.fileName)
        let removedAgain = try await folder.prune(keep: Retention(), now: 1 << 40)
        #expect(listed == [left[1]])
        #expect(removedAgain == [])
    }

    @Test func tooManyBackupsInOneSecondLeaveNoFiles() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        for number in 0...999 {
            let name = number == 0 ? Self.name : Self.name.replacing("Z.", with: "Z-\(number).")
            try scratch.write([], to: "backups/\(name)")
        }
        await #expect(throws: BackupError.tooManyInOneSecond) { try await write([1]) }
        #expect(scratch.names(in: "backups")?.count == 1000)
    }
}
