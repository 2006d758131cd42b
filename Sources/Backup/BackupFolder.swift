import Crypto
import Files
package import FoundationEssentials

/// A directory of encrypted backups. Knows nothing of databases: somebody else makes the copy.
///
/// Directory 0700, files 0600. A name ending in `.db.age` is a whole, durable backup at any instant; everything
/// unfinished has a hidden name. Several processes may use one folder.
package struct BackupFolder: Sendable {
    package let path: String

    private static let temporaryPrefix = ".clavitor-backup-"

    package init(path: String) {
        self.path = path
    }

    /// A backup that has just been made.
    package struct Written: Equatable, Sendable {
        package var name: BackupName
        /// Of the encrypted file.
        package var byteCount: Int64
        /// Of the encrypted file, in lower-case hexadecimal as `sha256sum` prints it.
        package var sha256: String
    }

    /// A backup that is in the folder.
    package struct Item: Equatable, Sendable {
        package var name: BackupName
        package var byteCount: Int64
    }

    /// Seconds by which clocks differ.
    private static let slack: Int64 = 3_600

    /// Seconds since the newest backup; nil when there is none. One that is dated more than an hour ahead was made by a clock
    /// that was wrong, and counts for none: it would stop all others until then.
    ///
    /// `now`: Unix seconds.
    package func age(at now: Int64) async throws -> Int64? {
        try await list().map(\.name.time.seconds).filter { $0 <= now + Self.slack }.max().map { max(0, now - $0) }
    }

    /// Makes a backup, encrypts it and returns when it is durable. Replaces nothing; on failure leaves nothing behind.
    ///
    /// The plain copy exists under a hidden name with mode 0600 until encryption begins, then only as an open file.
    /// What an earlier crash left behind is removed first.
    ///
    /// - Parameters:
    ///   - recipients: At least one. Each of them alone can open the backup.
    ///   - now: Gives the backup its name.
    ///   - copy: Fills the empty file at the given path with a consistent copy of the database, and closes it: what
    ///     is left in a write-ahead log beside it is refused.
    /// - Returns: What was written, to be logged or sent to a witness.
    /// - Throws: `BackupError`, `AgeError`, `SystemCallError`, and whatever `copy` throws.
    package func write(
        recipients: [AgeRecipient],
        now: Date,
        copy: (_ path: String) async throws -> Void
    ) async throws -> Written {
        guard !recipients.isEmpty else { throw AgeError.noRecipients }
        guard let time = UTCTime(now) else { throw BackupError.clockOutOfRange }
        let plain = try await onFileThread { [path] in
            try Directory.create(path)
            try TemporaryFile.removeStale(in: path, prefix: Self.temporaryPrefix)
            return try TemporaryFile(in: path, prefix: Self.temporaryPrefix)
        }
        defer { plain.remove() }
        try await copy(plain.path)
        return try await onFileThread { try seal(plain, for: recipients, time: time) }
    }

    /// The backups in the folder, newest first. None when there is no such folder.
    package func list() async throws -> [Item] {
        try await onFileThread { try items() }
    }

    /// Removes the backups that `retention` does not keep; never the newest, and no file with another name. Those that are
    /// dated ahead stay, and take nobody's place.
    ///
    /// `now`: Unix seconds.
    ///
    /// - Returns: What was removed, oldest first.
    package func prune(keep retention: Retention, now: Int64) async throws -> [BackupName] {
        try await onFileThread {
            let names = try items().map(\.name).filter { $0.time.seconds <= now + Self.slack }
            let kept = retention.keeps(names)
            let surplus = names.filter { !kept.contains($0) }.sorted()
            guard !surplus.isEmpty else { return [] }
            for name in surplus {
                try Directory.remove("\(path)/\(name.fileName)")
            }
            try Directory.synchronize(path)
            return surplus
        }
    }

    private func items() throws -> [Item] {
        try Directory.names(in: path)
            .compactMap(BackupName.init(fileName:))
            .compactMap { name in
                try Directory.fileSize("\(path)/\(name.fileName)").map { Item(name: name, byteCount: $0) }
            }
            .sorted { $0.name > $1.name }
    }

    private func seal(_ plain: TemporaryFile, for recipients: [AgeRecipient], time: UTCTime) throws -> Written {
        try TemporaryFile.checkSelfContained(plain.path)
        guard let size = try Directory.fileSize(plain.path), size > 0 else { throw BackupError.emptyCopy }
        // Opened anew, because `copy` may have put another file in the place of ours.
        let source = try OpenFile(reading: plain.path)
        // A crash from here on leaves no plain text.
        plain.remove()

        let sealed = try TemporaryFile(in: path, prefix: Self.temporaryPrefix)
        defer { sealed.remove() }
        var byteCount: Int64 = 0
        var hash = SHA256()
        try AgeFile.encrypt(
            to: recipients,
            read: { count throws(AgeError) in try source.readForAge(count) },
            write: { bytes throws(AgeError) in
                byteCount += Int64(bytes.count)
                hash.update(data: bytes)
                try sealed.file.writeForAge(bytes)
            }
        )
        try sealed.file.synchronize()
        let name = try publish(sealed, time: time)
        return Written(name: name, byteCount: byteCount, sha256: hexadecimal(hash.finalize()))
    }

    private func publish(_ sealed: TemporaryFile, time: UTCTime) throws -> BackupName {
        for number in 0...BackupName.maximumNumber {
            let name = BackupName(time: time, number: number)
            let target = "\(path)/\(name.fileName)"
            guard try Directory.link(sealed.path, as: target) else { continue }
            sealed.remove()
            do {
                try Directory.synchronize(path)
            } catch {
                // Not durable is not done: who asks again must not find half an answer.
                try? Directory.remove(target)
                throw error
            }
            return name
        }
        throw BackupError.tooManyInOneSecond
    }

    private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
