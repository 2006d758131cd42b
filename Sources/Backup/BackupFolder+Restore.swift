import Files

extension BackupFolder {
    private static let restorePrefix = ".clavitor-restore-"

    /// Decrypts a backup to a new file, which gets its final name only when `verify` has accepted it and it is durable.
    /// A failure leaves neither a target nor temporary files.
    ///
    /// The file is written under a hidden name in the target's directory, which must exist. Leftovers of a crashed
    /// restore are removed first.
    ///
    /// - Parameters:
    ///   - source: A backup, or any age file.
    ///   - target: A path without a file, and without `-wal`, `-shm` or `-journal` that SQLite would apply to it.
    ///   - identities: At least one that decrypts `source`.
    ///   - verify: Gets the path of the decrypted file, and throws to reject it. It may change the file and must close
    ///     it.
    /// - Throws: `BackupError`, `AgeError`, `SystemCallError`, and errors of `verify`.
    package static func restore(
        from source: String,
        to target: String,
        identities: [AgeIdentity],
        verify: (_ path: String) async throws -> Void
    ) async throws {
        let directory = Directory.parent(of: target)
        let restored = try await onFileThread {
            try refuseExisting(target)
            let encrypted = try OpenFile(reading: source)
            try TemporaryFile.removeStale(in: directory, prefix: restorePrefix)
            let restored = try TemporaryFile(in: directory, prefix: restorePrefix)
            do {
                try AgeFile.decrypt(encrypted, into: restored.file, with: identities)
            } catch {
                restored.remove()
                throw error
            }
            return restored
        }
        defer { restored.remove() }
        let path = restored.path
        try await verify(path)
        // Captures the path, not `restored`: its descriptor must be closed when this function returns and not later on
        // the queue, because closing any descriptor of a database drops the locks of every connection in the process.
        try await onFileThread {
            try publish(path, as: target, in: directory)
        }
    }

    private static func publish(_ path: String, as target: String, in directory: String) throws {
        try TemporaryFile.checkSelfContained(path)
        try Directory.synchronize(file: path)
        // Checked again for files that appeared meanwhile. `link` itself rejects the target, but not its sidecars.
        try refuseExisting(target)
        guard try Directory.link(path, as: target) else { throw BackupError.targetExists(target) }
        do {
            try Directory.remove(path)
            try Directory.synchronize(directory)
        } catch {
            try? Directory.remove(target)
            throw error
        }
    }

    private static func refuseExisting(_ target: String) throws {
        for path in [target] + TemporaryFile.sidecars.map({ target + $0 }) where try Directory.exists(path) {
            throw BackupError.targetExists(path)
        }
    }
}
