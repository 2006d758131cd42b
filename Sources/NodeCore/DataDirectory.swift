package import Files
package import RootKeySources
package import ServerRuntime
import Storage
import Systemd
import Vault
package import VaultFormat

/// A node's data directory: the database, the root key, a lock file, reserve files and certificates.
package struct DataDirectory: Sendable {
    package let path: String
    package let rootKeySource: any RootKeySource

    /// `rootKey`: The file with the root key. Default: the systemd credential `root-key`, or else `root.key` in the
    /// directory.
    package init(path: String, rootKey: String?) {
        self.path = path
        let credential = Environment.credentialsDirectory.map(RootKeyCredential.init)
        if let rootKey {
            rootKeySource = RootKeyFile(path: rootKey)
        } else if let credential, credential.exists {
            rootKeySource = credential
        } else {
            rootKeySource = RootKeyFile(path: "\(path)/root.key")
        }
    }

    package var database: String { "\(path)/clavitor.db" }
    /// Where commands reach the node that serves this directory.
    package var controlSocket: String { "\(path)/control" }
    package var lock: String { "\(path)/lock" }
    package var reserve: ReserveFile { ReserveFile(in: path) }
    /// Reserved space for truncating a WAL that fills the disk: a checkpoint needs a few pages.
    package var logReserve: ReserveFile { ReserveFile(in: path, name: "reserve-log", bytes: 2 << 20) }
    /// The marker file of damage that no operator has accepted.
    package var damageMark: String { "\(path)/damaged" }
    package var certificates: CertificatePaths { CertificatePaths(data: path) }

    /// Creates the directory, a root key unless there is one, and an empty database.
    ///
    /// The database is created under a temporary name and renamed when it is complete, so that an interrupted start is repeated by
    /// the next one.
    ///
    /// - Returns: The root keys, if they were generated now.
    package func initialize(now: Int64) throws -> RootKeys? {
        guard !File.exists(database) else {
            throw Failure("\(database) already exists. Choose another directory, or serve this one.")
        }
        try File.makeDirectory(path)
        let isNew = !rootKeySource.exists
        let keys = isNew ? RootKeys.generate() : try rootKeySource.load()
        if isNew { try rootKeySource.replace(with: keys) }
        let unfinished = "\(database).new"
        for name in [unfinished, "\(unfinished)-wal", "\(unfinished)-shm"] { File.remove(name) }
        // SQLite gives its other files the mode of this one.
        _ = try OpenFile(creating: unfinished)
        try Store.create(path: unfinished, root: keys, now: now)
        try File.move(unfinished, to: database)
        return isNew ? keys : nil
    }

    /// Whether the directory is empty, so that a service may initialize it.
    ///
    /// Files of an interrupted first start are ignored. Any other file may belong to a lost vault or to a restore in progress, and
    /// is an error.
    ///
    /// - Returns: False when there is a vault.
    package func isEmpty() throws -> Bool {
        guard !File.exists(database) else { return false }
        let name = database.split(separator: "/").last.map(String.init) ?? ""
        let remains = ["lock"] + ["", "-wal", "-shm", "-journal"].map { "\(name).new\($0)" }
        let found = try Directory.names(in: path).filter { !remains.contains($0) }.sorted()
        guard found.isEmpty else {
            throw Failure(
                """
                \(path) has no vault but is not empty: \(found.prefix(5).joined(separator: ", ")). Wait for a running restore, or \
                restore the vault (`clavitor-node restore`). To start with a new vault, empty the directory first.
                """)
        }
        return true
    }

    /// Releases the reserve if the disk is full. Call before the first write: the disk may have been full at the last stop.
    ///
    /// - Returns: Whether the disk is full.
    package func releaseReserveIfLow() -> Bool {
        guard let free = FileStatus.freeSpace(path), free < ReserveFile.lowSpace else { return false }
        _ = reserve.release()
        return true
    }

    package func requireVault() throws {
        guard File.exists(database) else {
            throw Failure("There is no vault in \(path). Create one with `clavitor-node init --data \(path)`.")
        }
    }

    /// The node's keys, decrypted with its root key.
    package func nodeKeys() throws -> NodeKeys {
        try requireVault()
        do {
            return try NodeKeys(root: try rootKeySource.load(), stored: try Store.nodeKey(path: database))
        } catch VaultError.otherFormat {
            throw Failure(
                """
                \(database) was made by clavitor-node 0.1.0, whose format this version does not read. Serve it with that version, \
                or begin a new vault: `clavitor-node init --data OTHER`.
                """)
        } catch let error as RootBoxError {
            switch error {
            case .unknownKey(let id):
                throw Failure("The database requires root key \(id), which is not in \(rootKeySource.location).")
            case .notOurs:
                throw Failure(
                    "The root key in \(rootKeySource.location) does not open this database: it belongs to another one, or the database is damaged."
                )
            }
        }
    }

    /// Locks the directory until the process ends. Creates it if needed.
    ///
    /// - Returns: False when another process has the lock.
    package func tryLock() throws -> Bool {
        try File.makeDirectory(path)
        return try File.tryLock(lock)
    }

    package func acquireLock() throws {
        guard try tryLock() else {
            throw Failure("Another clavitor-node is using \(path). Stop it first.")
        }
    }
}
