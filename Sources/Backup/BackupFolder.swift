import Crypto
import Encoding
import Files
package import FoundationEssentials

/// A directory of encrypted backups. The caller makes the copy of the database.
///
/// Directory 0700, files 0600. A file ending in `.db.age` is complete and durable at any time; unfinished files have
/// hidden names. Several processes may use one folder.
package struct BackupFolder: Sendable {
    package let path: String

    private static let temporaryPrefix = ".clavitor-backup-"

    package init(path: String) {
        self.path = path
    }

    /// A newly written backup.
    package struct Written: Equatable, Sendable {
        package var name: BackupName
        /// Size of the encrypted file.
        package var byteCount: Int64
        /// Hash of the encrypted file in lower-case hexadecimal, as `sha256sum` prints it.
        package var sha256: String
    }

    /// A backup in the folder.
    package struct Item: Equatable, Sendable {
        package var name: BackupName
        package var byteCount: Int64
    }

    /// Largest accepted clock skew in seconds.
    private static let maximumClockSkew: Int64 = 3_600

    /// Seconds since the newest backup; nil without backups. Ignores a backup dated more than an hour ahead, which a wrong
    /// clock made: it would prevent new backups until then.
    ///
    /// `now`: Unix seconds.
    package func age(at now: Int64) async throws -> Int64? {
        try await list().map(\.name.time.seconds).filter { $0 <= now + Self.maximumClockSkew }.max().map {
            max(0, now - $0)
        }
    }

    /// Makes a backup, encrypts it and returns when it is durable. Does not replace files; a failure leaves no files.
    ///
    /// The plain copy exists under a hidden name with mode 0600 until encryption begins, then only as an open file.
    /// Leftovers of a crash are removed first.
    ///
    /// - Parameters:
    ///   - recipients: At least one. Each of them alone can decrypt the backup.
    ///   - now: The time for the backup's name.
    ///   - copy: Fills the empty file at the given path with a consistent copy of the database and closes it. A copy
    ///     with a non-empty write-ahead log is rejected.
    /// - Returns: The written backup, for logging or for a remote record.
    /// - Throws: `BackupError`, `AgeError`, `SystemCallError`, and errors of `copy`.
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
        return try await onFileThread { try encrypt(plain, for: recipients, time: time) }
    }

    /// The backups in the folder, newest first. Empty for a missing folder.
    package func list() async throws -> [Item] {
        try await onFileThread { try items() }
    }

    /// Removes the backups that `retention` does not retain; never the newest, and no file with another name. Backups dated
    /// in the future stay and do not count.
    ///
    /// `now`: Unix seconds.
    ///
    /// - Returns: The removed backups, oldest first.
    package func prune(keep retention: Retention, now: Int64) async throws -> [BackupName] {
        try await onFileThread {
            let names = try items().map(\.name).filter { $0.time.seconds <= now + Self.maximumClockSkew }
            let retained = retention.retained(names)
            let expired = names.filter { !retained.contains($0) }.sorted()
            guard !expired.isEmpty else { return [] }
            for name in expired {
                try Directory.remove("\(path)/\(name.fileName)")
            }
            try Directory.synchronize(path)
            return expired
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

    private func encrypt(_ plain: TemporaryFile, for recipients: [AgeRecipient], time: UTCTime) throws -> Written {
        try TemporaryFile.checkSelfContained(plain.path)
        guard let size = try Directory.fileSize(plain.path), size > 0 else { throw BackupError.emptyCopy }
        // Opened again, because `copy` may have replaced the file.
        let source = try OpenFile(reading: plain.path)
        // A crash from here on leaves no plaintext.
        plain.remove()

        let encrypted = try TemporaryFile(in: path, prefix: Self.temporaryPrefix)
        defer { encrypted.remove() }
        var byteCount: Int64 = 0
        var hash = SHA256()
        try AgeFile.encrypt(
            to: recipients,
            read: { count throws(AgeError) in try source.readForAge(count) },
            write: { bytes throws(AgeError) in
                byteCount += Int64(bytes.count)
                hash.update(data: bytes)
                try encrypted.file.writeForAge(bytes)
            }
        )
        try encrypted.file.synchronize()
        let name = try publish(encrypted, time: time)
        return Written(name: name, byteCount: byteCount, sha256: Hexadecimal.encode(hash.finalize()))
    }

    private func publish(_ encrypted: TemporaryFile, time: UTCTime) throws -> BackupName {
        for number in 0...BackupName.maximumNumber {
            let name = BackupName(time: time, number: number)
            let target = "\(path)/\(name.fileName)"
            guard try Directory.link(encrypted.path, as: target) else { continue }
            encrypted.remove()
            do {
                try Directory.synchronize(path)
            } catch {
                // A backup that is not durable has failed, so it must not be listed.
                try? Directory.remove(target)
                throw error
            }
            return name
        }
        throw BackupError.tooManyInOneSecond
    }
}
