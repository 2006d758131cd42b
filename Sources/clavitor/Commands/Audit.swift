import ArgumentParser
import Console
import Wire

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what was done in your vault, by whom: newest first.")

    @Option(help: "How many lines.")
    var limit = 50

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1.") }
    }

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let lines = try await lines(signedIn)
            let names = workspace.printsJSON ? Names() : try await Names(signedIn)
            try workspace.show(AuditBody(lines: lines, next: nil)) {
                var table = Table("time", "who", "what", "entry/field", "outcome", "from")
                for line in lines {
                    table.add(
                        Moment.text(line.at), line.who, line.what, line.place(names), line.result,
                        line.from ?? "")
                }
                return table.isEmpty ? "Nothing was done yet." : table.text
            }
        }
    }

    private func lines(_ signedIn: SignedIn) async throws -> [AuditBody.Line] {
        var lines: [AuditBody.Line] = []
        var cursor: String?
        repeat {
            let request = NodeRequest(.get, "api/v1/audit").with("limit", min(limit - lines.count, 100))
                .with("cursor", cursor)
            let page = try await signedIn.send(request, as: AuditBody.self)
            lines += page.lines
            cursor = page.lines.isEmpty ? nil : page.next
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

    /// Past tense for what the table knows; an action of a newer node goes by its own name.
    fileprivate var what: String {
        if action == "login", outcome != "ok" { return "tried to sign in" }
        return Self.actions[action] ?? action
    }

    /// The entry and field; for what concerns an agent, that.
    fileprivate func place(_ names: Names) -> String {
        if entry != nil { return names.place(entry, field) + (version.map { " v\($0)" } ?? "") }
        return action.hasPrefix("agent.") ? subjectName ?? subject ?? "" : ""
    }

    fileprivate var result: String {
        outcome + (reason.map { ": \($0)" } ?? "") + (count.map { $0 > 1 ? " ×\($0)" : "" } ?? "")
    }

    private static let actions = [
        "value.read": "read a value", "value.totp": "took a code", "entry.create": "added", "entry.update": "changed",
        "entry.trash": "removed", "entry.untrash": "restored", "entry.purge": "purged", "deposit.create": "deposited",
        "deposit.accept": "accepted a deposit", "deposit.reject": "rejected a deposit", "agent.create": "made an agent",
        "agent.update": "changed an agent", "agent.rotate": "rotated a token", "agent.revoke": "revoked an agent",
        "account.create": "registered", "account.delete": "deleted the account", "account.recover": "used the kit",
        "account.password": "changed the password", "account.sign-out-everywhere": "signed out everywhere",
        "account.l2-rekey": "renewed the L2 key", "account.recovery": "changed the kit",
        "account.totp-enable": "second factor on", "account.totp-disable": "second factor off", "login": "signed in",
        "logout": "signed out", "denied": "was refused", "export": "exported",
    ]
}
