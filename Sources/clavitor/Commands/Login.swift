import ArgumentParser
import Wire

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sign in on this machine.")

    @Option(help: "E-mail address. Default: the last one used.")
    var email: String?

    @Option(help: "One-time code of the second factor, or a recovery code.")
    var totp: String?

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let server = try context.someServer()
        let last = try context.sessions.current(on: server)
        guard let email = email ?? last?.email else {
            throw CommandFailure(.usage, "No account was given.", hint: "Add --email ADDRESS.")
        }
        let account = try await context.connected(to: server) { node in
            let signIn = try SignIn(context: context, node: node, email: email)
            let terms = try await signIn.terms(pinned: try signIn.known?.pins)
            let keys = try terms.keys(of: Password(try context.secrets.password(for: signIn.email)))
            return try await signIn.login(keys: keys, terms: terms, code: totp)
        }
        try context.show(SignedInOutput(account)) {
            "Signed in to \(account.server) as \(account.email) until \(Timestamp.text(account.session?.expiresAt ?? 0))."
        }
    }
}

private struct SignedInOutput: Encodable {
    let email: String
    let server: String
    let vault: String
    let expiresAt: Int64?

    init(_ account: Account) {
        email = account.email
        server = account.server
        vault = account.pins.vault
        expiresAt = account.session?.expiresAt
    }
}

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End the session on this machine.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        guard let account = try context.sessions.current(on: try context.namedServer()),
            let token = account.session?.token
        else {
            context.terminal.note("There was no session.")
            return
        }
        // Locally first, in case the node cannot be reached.
        try context.sessions.update(account) { $0.session = nil }
        guard let server = ServerAddress(account.server) else { return }
        do {
            try await context.connected(to: server) { node in
                var node = node
                node.token = token
                try await node.send(NodeRequest(.delete, "api/v1/sessions/current"))
            }
        } catch let problem as Problem where problem.status == 401 {
            // The session has already ended.
        } catch let failure as CommandFailure where failure.outcome == .unreachable {
            throw CommandFailure(
                .unreachable,
                "Signed out on this machine. The node could not be reached; its session may last until it expires.",
                hint: "When it can be reached: clavitor sessions ls")
        }
        context.terminal.note("Signed out.")
    }
}

struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove an account from this machine: session, pins and L2 key copy.",
        discussion: "The account itself stays. The next login trusts the node as at first use.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Skip the confirmation.")
    var yes = false

    func run() async throws {
        let context = try CommandContext(global)
        guard let account = try context.sessions.current(on: try context.namedServer()) else {
            throw CommandFailure(.notSignedIn, "There is no account on this machine.")
        }
        let question = "Remove \(account.email) at \(account.server) from this machine?"
        guard try yes || context.terminal.confirm(question, otherwise: "Add --yes.") else { return }
        try context.sessions.forget(account)
        context.terminal.note("Removed.")
    }
}
