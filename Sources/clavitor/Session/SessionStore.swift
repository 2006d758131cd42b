import Console
import Files
import FoundationEssentials
import Glibc

/// The accounts of this machine in one file, `sessions.json`, for its user's eyes alone.
struct SessionStore {
    /// Nil where there is none, as for agents on machines without a home: then nothing is known, and nothing kept.
    let directory: String?
    /// The account that was chosen; nil for the one in use.
    var email: String?

    struct Contents: Codable, Equatable {
        /// The one that commands without `--server` and `--email` mean is first.
        var accounts: [Account] = []
    }

    func read() throws -> Contents {
        guard let path = directory.map(Self.path), let bytes = try PrivateFile.read(path) else { return Contents() }
        do {
            return try JSONDecoder().decode(Contents.self, from: Data(bytes))
        } catch {
            throw CommandFailure(
                .failed, "\(path) is damaged.", hint: "Move it away and sign in again: clavitor login")
        }
    }

    /// The account that was chosen or is in use: the latest, or the latest on `server`.
    func current(on server: ServerAddress?) throws -> Account? {
        let accounts = try read().accounts
        let found = accounts.first { account in
            (server == nil || account.server == server?.text)
                && (email == nil || account.email.lowercased() == email?.lowercased())
        }
        if let email, found == nil {
            throw CommandFailure(
                .notSignedIn,
                "This machine knows no account \(email.printable)\(server.map { " at \($0.text)" } ?? "").",
                hint: accounts.isEmpty
                    ? "clavitor login" : "It knows: \(accounts.map(\.email.printable).joined(separator: ", "))")
        }
        return found
    }

    func account(_ email: String, on server: ServerAddress) throws -> Account? {
        try read().accounts.first { $0.isAccount(email, on: server.text) }
    }

    /// Puts the account first, in place of what was known of it.
    ///
    /// - Returns: What was known of it.
    @discardableResult
    func keep(_ account: Account) throws -> Account? {
        try change { contents in
            let known = contents.remove(account)
            contents.accounts.insert(account, at: 0)
            return known
        }
    }

    /// Changes what is known of the account now, which another command may have written. Does nothing where there is none.
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

    /// Reads, changes and writes while no other command on this machine does.
    private func change<Result>(_ change: (inout Contents) throws -> Result) throws -> Result {
        guard let directory else {
            throw CommandFailure(.usage, "There is no place to keep the session.", hint: "Set HOME or XDG_STATE_HOME.")
        }
        try PrivateFile.makeDirectory(directory)
        // The directory and not the file, which is replaced.
        let lock = try? OpenFile(directory: directory)
        try Self.wait(for: lock, directory)
        var contents = try read()
        let result = try change(&contents)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try PrivateFile.replace(Self.path(directory), with: Array(try encoder.encode(contents)))
        return result
    }

    /// The others hold it for some milliseconds, unless they were stopped.
    private static func wait(for lock: borrowing OpenFile?, _ directory: String) throws(CommandFailure) {
        for _ in 0..<200 {
            // On a file system without locks nobody waits.
            guard (try? lock?.lock()) == false else { return }
            usleep(50_000)
        }
        throw CommandFailure(
            .failed, "Another clavitor has held \(directory) for ten seconds.",
            hint: "Is one stopped? Bring it back with fg, or end it.")
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
