import Auth
import Files
import Serving
import Storage
import Systemd
import VaultFormat

/// Where a node keeps what it has: one database, and beside it a root key, a lock and a reserve.
struct DataDirectory: Sendable {
    let path: String
    let rootKeyPath: String
    /// Whether the root key comes from systemd, which alone can change it.
    let isRootKeyForeign: Bool

    init(path: String, rootKey: String?) {
        self.path = path
        if let rootKey {
            rootKeyPath = rootKey
            isRootKeyForeign = false
        } else if let credentials = Environment.credentialsDirectory, File.exists("\(credentials)/root-key") {
            rootKeyPath = "\(credentials)/root-key"
            isRootKeyForeign = true
        } else {
            rootKeyPath = "\(path)/root.key"
            isRootKeyForeign = false
        }
    }

    var database: String { "\(path)/clavitor.db" }
    var lock: String { "\(path)/lock" }
    var reserve: ReserveFile { ReserveFile(in: path) }
    /// Without it a log that fills the disk could not be cut: moving what it holds into the file takes a few pages.
    var logReserve: ReserveFile { ReserveFile(in: path, name: "reserve-log", bytes: 2 << 20) }
    /// There while damage was found that no operator has looked at.
    var damageMark: String { "\(path)/damaged" }
    var certificates: CertificatePlaces { CertificatePlaces(data: path) }

    /// Makes the directory, a root key unless there is one, and an empty vault.
    ///
    /// The vault takes its name when it is whole, so that a start that was cut off is begun anew by the next.
    ///
    /// - Returns: The keys, if they were made now.
    func initialize(now: Int64) throws -> RootKeys? {
        guard !File.exists(database) else {
            throw Failure("\(database) exists. Choose another directory, or serve it.")
        }
        try File.makeDirectory(path)
        let isNew = !File.exists(rootKeyPath)
        let keys = isNew ? RootKeys.generate() : try rootKeys()
        if isNew { try RootKeyFile.write(keys, to: rootKeyPath) }
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
    func isEmpty() throws -> Bool {
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
    func giveReserveBackIfFull() -> Bool {
        guard let free = FileFacts.freeSpace(path), free < ReserveFile.scarce else { return false }
        _ = reserve.giveBack()
        return true
    }

    func rootKeys() throws -> RootKeys {
        guard File.exists(rootKeyPath) else {
            throw Failure(
                "There is no root key at \(rootKeyPath). Give its place with --root-key, or restore it from your copy.")
        }
        return try RootKeyFile.read(rootKeyPath)
    }

    func requireVault() throws {
        guard File.exists(database) else {
            throw Failure("There is no vault in \(path). Begin with `clavitor-node init --data \(path)`.")
        }
    }

    /// The keys of the node, which only its own root key opens.
    func nodeKeys() throws -> NodeKeys {
        try requireVault()
        do {
            return try NodeKeys(root: try rootKeys(), stored: try Store.nodeKey(path: database))
        } catch let error as RootBoxError {
            switch error {
            case .unknownKey(let id):
                throw Failure("The database needs root key \(id), which \(rootKeyPath) does not hold.")
            case .notOurs:
                throw Failure("The root key in \(rootKeyPath) is not this database's, or the database is damaged.")
            }
        }
    }

    /// Takes the directory for this process alone, until the process ends. Makes it if it is not there.
    func takeLock() throws {
        try File.makeDirectory(path)
        guard try File.takeLock(lock) else {
            throw Failure("Another clavitor-node is using \(path). Stop it first.")
        }
    }
}

/// The ring of root keys as text: `1 clv_root_…`, a line for each key, the last one current.
enum RootKeyFile {
    static func read(_ path: String) throws -> RootKeys {
        guard let keys = parse(try File.read(path, most: 65_536)) else {
            throw Failure("\(path) is no root key file. Each line is a number and a key that begins with clv_root_.")
        }
        return keys
    }

    static func parse(_ text: String) -> RootKeys? {
        var keys: [UInt32: Token] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 2, let id = UInt32(words[0]), let token = Token(words[1]), token.kind == .rootKey,
                keys.updateValue(token, forKey: id) == nil
            else { return nil }
        }
        guard let current = keys.keys.max() else { return nil }
        return RootKeys(current: current, keys: keys.mapValues(\.secret))
    }

    static func text(_ keys: RootKeys) -> String {
        keys.ids.compactMap { id in keys.key(id).map { "\(id) \(Token(.rootKey, secret: $0).text)\n" } }.joined()
    }

    /// Replaces the file as a whole: the old one or the new one is there at any instant.
    static func write(_ keys: RootKeys, to path: String) throws {
        try File.replace(path, with: text(keys), mode: 0o400)
    }
}
