package import Files
package import RootKeySources
package import Serving
import Storage
import Systemd
package import VaultFormat

/// Where a node keeps what it has: one database, and beside it a root key, a lock and a reserve.
package struct DataDirectory: Sendable {
    package let path: String
    package let rootKeySource: any RootKeySource

    /// `rootKey`: The file with the root key. By default the systemd credential `root-key`, or else `root.key` in the
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
    package var lock: String { "\(path)/lock" }
    package var reserve: ReserveFile { ReserveFile(in: path) }
    /// Without it a log that fills the disk could not be cut: moving what it holds into the file takes a few pages.
    package var logReserve: ReserveFile { ReserveFile(in: path, name: "reserve-log", bytes: 2 << 20) }
    /// There while damage was found that no operator has looked at.
    package var damageMark: String { "\(path)/damaged" }
    package var certificates: CertificatePlaces { CertificatePlaces(data: path) }

    /// Makes the directory, a root key unless there is one, and an empty vault.
    ///
    /// The vault takes its name when it is whole, so that a start that was cut off is begun anew by the next.
    ///
    /// - Returns: The keys, if they were made now.
    package func initialize(now: Int64) throws -> RootKeys? {
        guard !File.exists(database) else {
            throw Failure("\(database) exists. Choose another directory, or serve it.")
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

    /// Whether nothing was ever kept here, so that a service may make a vault by itself.
    ///
    /// What a first start leaves when it is cut off counts as nothing. Everything else may be what is left of a vault, or a
    /// restore that is under way, and is an error.
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
                There is no vault in \(path), and it is not empty: \(found.prefix(5).joined(separator: ", ")). Wait for the end \
                of a restore, or bring back what is missing (`clavitor-node restore`). To begin anew, empty it first.
                """)
        }
        return true
    }

    /// Before anything is written: a disk that was full when the program ended may still be.
    ///
    /// - Returns: Whether it is.
    package func giveReserveBackIfFull() -> Bool {
        guard let free = FileStatus.freeSpace(path), free < ReserveFile.lowSpace else { return false }
        _ = reserve.release()
        return true
    }

    package func requireVault() throws {
        guard File.exists(database) else {
            throw Failure("There is no vault in \(path). Begin with `clavitor-node init --data \(path)`.")
        }
    }

    /// The keys of the node, which only its own root key opens.
    package func nodeKeys() throws -> NodeKeys {
        try requireVault()
        do {
            return try NodeKeys(root: try rootKeySource.load(), stored: try Store.nodeKey(path: database))
        } catch let error as RootBoxError {
            switch error {
            case .unknownKey(let id):
                throw Failure("The database needs root key \(id), which \(rootKeySource.location) does not hold.")
            case .notOurs:
                throw Failure(
                    "The root key in \(rootKeySource.location) is not this database's, or the database is damaged.")
            }
        }
    }

    /// Takes the directory for this process alone, until the process ends. Makes it if it is not there.
    package func takeLock() throws {
        try File.makeDirectory(path)
        guard try File.tryLock(lock) else {
            throw Failure("Another clavitor-node is using \(path). Stop it first.")
        }
    }
}
