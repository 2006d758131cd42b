import Console
import Files
import FoundationEssentials
import Glibc

/// Stores the accounts of this machine in one private file, `sessions.json`.
struct SessionStore {
    /// Nil without a home directory, as for some agents: nothing is stored then.
    let directory: String?
    /// The chosen account; nil for the current one.
    var email: String?

    struct Contents: Codable, Equatable {
        /// The first one is the default of commands without `--server` and `--email`.
        var accounts: [Account] = []
    }

    func read() throws -> Contents {
        guard let path = directory.map(Self.path), let bytes = try PrivateFile.read(path) else { return Contents() }
        do {
            return try JSONDecoder().decode(Contents.self, from: Data(bytes))
        } catch {
            throw CommandFailure(
                .failed, "\(path) is damaged.", hint: "Rename it and sign in again: clavitor login")
        }
    }

    /// The chosen account, otherwise the latest one, on `server` if given.
    func current(on server: ServerAddress?) throws -> Account? {
        let accounts = try read().accounts
        let found = accounts.first { account in
            (server == nil || account.server == server?.text)
                && (email == nil || account.email.lowercased() == email?.lowercased())
        }
        if let email, found == nil {
            throw CommandFailure(
                .notSignedIn,
                "There is no account \(email.printable)\(server.map { " at \($0.text)" } ?? "").",
                hint: accounts.isEmpty
                    ? "clavitor login" : "Known accounts: \(accounts.map(\.email.printable).joined(separator: ", "))")
        }
        return found
    }

    func account(_ email: String, on server: ServerAddress) throws -> Account? {
        try read().accounts.first { $0.isAccount(email, on: server.text) }
    }

    /// Stores the account as the first one, replacing an earlier record of it.
    ///
    /// - Returns: The earlier record.
    @discardableResult
    func keep(_ account: Account) throws -> Account? {
        try change { contents in
            let known = contents.remove(account)
            contents.accounts.insert(account, at: 0)
            return known
        }
    }

    /// Updates the current record of the account, which another command may have written. Does nothing without a record.
    func update(_ account: Account, _ update: (inout Account) -> Void) throws {
        try change { contents in
            guard
                let index = contents.accounts.firstIndex(where: { $0.isAccount(account.email, on: account.server) })
            else { return }
            update(&contents.accounts[index])
        }
    }

    /// Drops the account, its pins and its copy of the wrapped l2Key.
    func forget(_ account: Account) throws {
        try change { _ = $0.remove(account) }
    }

    private static func path(_ directory: String) -> String { directory + "/sessions.json" }

    /// Reads, changes and writes the file under a lock.
    private func change<Result>(_ change: (inout Contents) throws -> Result) throws -> Result {
        guard let directory else {
            throw CommandFailure(
                .usage, "There is no directory to store the session.", hint: "Set HOME or XDG_STATE_HOME.")
        }
        try PrivateFile.makeDirectory(directory)
        // Locks the directory, because the file is replaced.
        let lock = try? OpenFile(directory: directory)
        try Self.wait(for: lock, directory)
        var contents = try read()
        let result = try change(&contents)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try PrivateFile.replace(Self.path(directory), with: Array(try encoder.encode(contents)))
        return result
    }

    /// Other commands hold the lock for some milliseconds, unless they are stopped.
    private static func wait(for lock: borrowing OpenFile?, _ directory: String) throws(CommandFailure) {
        for _ in 0..<200 {
            // A file system without locks: continue without one.
            guard (try? lock?.lock()) == false else { return }
            usleep(50_000)
        }
        throw CommandFailure(
            .failed, "Another clavitor process has locked \(directory) for ten seconds.",
            hint: "If it is stopped, continue it with fg or end it.")
    }
}

extension SessionStore.Contents {
    fileprivate mutating func remove(_ account: Account) -> Account? {
        let index = accounts.firstIndex { $0.isAccount(account.email, on: account.server) }
        return index.map { accounts.remove(at: $0) }
    }
}

extension Account {
    fileprivate func isAccount(_ email: String, on server: String) -> Bool {
        self.server == server && self.email == email
    }
}
