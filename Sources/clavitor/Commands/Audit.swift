import ArgumentParser
import Console
import Wire

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List audit lines of the vault, newest first.")

    @Option(help: "Maximum number of lines.")
    var limit = 50

    @Option(help: ArgumentHelp("Only lines by or about this agent.", valueName: "name"))
    var agent: String?

    @Option(help: ArgumentHelp("Only lines about this entry.", valueName: "title"))
    var entry: String?

    @Option(
        help: ArgumentHelp(
            "Only this action or group: value.read, login, agent. Shown by --json as `action`.", valueName: "action"))
    var action: String?

    @Option(help: ArgumentHelp("Only lines since: 24h, 7d, 2026-12-31.", valueName: "when"))
    var since: String?

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be an integer from 1.") }
    }

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let lines = try await lines(signedIn, try await filter(signedIn))
            let names = context.printsJSON ? Names() : try await Names(signedIn)
            try context.show(AuditBody(lines: lines, next: nil)) {
                var table = Table("time", "who", "what", "entry/field", "outcome", "from")
                for line in lines {
                    table.add(
                        Timestamp.text(line.at), line.who, line.what, line.place(names), line.result,
                        line.from ?? "")
                }
                return table.isEmpty ? "No audit lines." : table.text
            }
        }
    }

    private struct Filter {
        var agent: String?
        var entry: String?
        var action: String?
        /// Unix seconds.
        var since: Int64?

        func takes(_ line: AuditBody.Line) -> Bool {
            (entry == nil || line.entry == entry)
                && (action.map { line.action == $0 || line.action.hasPrefix($0 + ".") } ?? true)
                && (agent.map { agent in
                    [line.actorName, line.actor, line.subjectName, line.subject]
                        .contains { $0?.lowercased() == agent.lowercased() }
                } ?? true)
        }
    }

    private func filter(_ signedIn: SignedIn) async throws -> Filter {
        var filter = Filter(agent: agent, action: action)
        if let entry { filter.entry = try await EntryFinder(signedIn: signedIn).entry(entry).id }
        if let since {
            guard let moment = Timestamp.parsePast(since, now: Timestamp.now) else {
                throw CommandFailure(
                    .usage, "--since must be 24h, 7d or 2026-12-31; not \(since).")
            }
            filter.since = moment
        }
        return filter
    }

    private func lines(_ signedIn: SignedIn, _ filter: Filter) async throws -> [AuditBody.Line] {
        var lines: [AuditBody.Line] = []
        var cursor: String?
        repeat {
            let request = NodeRequest(.get, "api/v1/audit").with("limit", 100).with("cursor", cursor)
            let page = try await signedIn.send(request, as: AuditBody.self)
            let recent = page.lines.prefix { $0.at >= filter.since ?? .min }
            lines += recent.filter(filter.takes)
            cursor = recent.count < page.lines.count || page.lines.isEmpty ? nil : page.next
        } while cursor != nil && lines.count < limit
        return Array(lines.prefix(limit))
    }
}

extension AuditBody.Line {
    fileprivate var who: String {
        switch actorKind {
        case "owner": "you"
        case "agent": actorName ?? actor ?? "an agent"
        default: actorKind
        }
    }

    /// The action in past tense; an unknown action of a newer node by its own name.
    fileprivate var what: String {
        if action == "login", outcome != "ok" { return "tried to sign in" }
        return Self.actions[action] ?? action
    }

    /// The entry and field, or the agent.
    fileprivate func place(_ names: Names) -> String {
        if entry != nil { return names.place(entry, field) + (version.map { " v\($0)" } ?? "") }
        return action.hasPrefix("agent.") ? subjectName ?? subject ?? "" : ""
    }

    fileprivate var result: String {
        outcome + (reason.map { ": \($0)" } ?? "") + (count.map { $0 > 1 ? " ×\($0)" : "" } ?? "")
    }

    private static let actions = [
        "value.read": "read a value", "value.totp": "read a code", "entry.create": "added", "entry.update": "changed",
        "entry.trash": "removed", "entry.untrash": "restored", "entry.purge": "purged", "deposit.create": "deposited",
        "deposit.accept": "accepted a deposit", "deposit.reject": "rejected a deposit",
        "deposit.expire": "a deposit expired", "history.prune": "old versions deleted",
        "account.recover-begin": "proved the kit",
        "agent.create": "created an agent",
        "agent.update": "changed an agent", "agent.rotate": "rotated a token", "agent.revoke": "revoked an agent",
        "account.create": "registered", "account.delete": "deleted the account", "account.recover": "used the kit",
        "account.password": "changed the password", "account.sign-out-everywhere": "signed out everywhere",
        "account.l2-rekey": "renewed the L2 key", "entry.l2-rekey": "encrypted anew",
        "account.recovery": "changed the kit",
        "account.passkey": "changed a passkey",
        "account.totp-begin": "began a second factor", "account.totp-use": "used a code",
        "session.expire": "sessions expired", "audit.accept": "accepted changed records",
        "restore": "restored a backup",
        "root-key.rotate": "rotated the root key",
        "account.totp-enable": "second factor on", "account.totp-disable": "second factor off", "login": "signed in",
        "logout": "signed out", "denied": "was refused", "export": "exported",
    ]
}
