import FoundationEssentials

/// The accounts of this machine in one file, `sessions.json`, for its user's eyes alone.
struct SessionStore {
    /// Nil where there is none, as for agents on machines without a home: then nothing is known, and nothing kept.
    let directory: String?

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

    /// The account in use: the latest, or the latest on `server`.
    func current(on server: ServerAddress?) throws -> Account? {
        try read().accounts.first { server == nil || $0.server == server?.text }
    }

    func account(_ email: String, on server: ServerAddress) throws -> Account? {
        try read().accounts.first { $0.isAccount(email, on: server.text) }
    }

    /// Puts the account first, in place of what was known of it.
    func keep(_ account: Account) throws {
        var contents = try read()
        contents.accounts.removeAll { $0.isAccount(account.email, on: account.server) }
        contents.accounts.insert(account, at: 0)
        try write(contents)
    }

    /// Drops the account, its pins and its copy of the wrapped l2Key.
    func forget(_ account: Account) throws {
        var contents = try read()
        contents.accounts.removeAll { $0.isAccount(account.email, on: account.server) }
        try write(contents)
    }

    private static func path(_ directory: String) -> String { directory + "/sessions.json" }

    private func write(_ contents: Contents) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let directory else {
            throw CommandFailure(.usage, "There is no place to keep the session.", hint: "Set HOME or XDG_STATE_HOME.")
        }
        try PrivateFile.makeDirectory(directory)
        try PrivateFile.replace(Self.path(directory), with: Array(try encoder.encode(contents)))
    }
}

extension Account {
    fileprivate func isAccount(_ email: String, on server: String) -> Bool {
        self.server == server && self.email == email
    }
}
