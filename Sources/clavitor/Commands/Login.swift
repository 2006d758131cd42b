import ArgumentParser
import Wire

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sign in on this machine.")

    @Option(help: "Your e-mail address; the last one used when left out.")
    var email: String?

    @Option(help: "The second factor's code, or a recovery code.")
    var totp: String?

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let server = try workspace.someServer()
        let last = try workspace.sessions.current(on: server)
        guard let email = email ?? last?.email else {
            throw CommandFailure(.usage, "Who signs in?", hint: "Add --email ADDRESS.")
        }
        let account = try await workspace.connected(to: server) { node in
            let signIn = try SignIn(workspace: workspace, node: node, email: email)
            let terms = try await signIn.terms(pinned: try signIn.known?.pins)
            let keys = try terms.keys(of: Password(try workspace.secrets.password(for: signIn.email)))
            return try await signIn.login(keys: keys, terms: terms, code: totp)
        }
        try workspace.show(SignedInOutput(account)) {
            "Signed in to \(account.server) as \(account.email) until \(Moment.text(account.session?.expiresAt ?? 0))."
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

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        guard let account = try workspace.sessions.current(on: try workspace.namedServer()),
            let token = account.session?.token
        else {
            workspace.terminal.note("Nobody was signed in.")
            return
        }
        // First here, so that a node out of reach does not keep this machine signed in.
        try workspace.sessions.update(account) { $0.session = nil }
        guard let server = ServerAddress(account.server) else { return }
        do {
            try await workspace.connected(to: server) { node in
                var node = node
                node.token = token
                try await node.send(NodeRequest(.delete, "api/v1/sessions/current"))
            }
        } catch let problem as Problem where problem.status == 401 {
            // Over already.
        } catch let failure as CommandFailure where failure.outcome == .unreachable {
            throw CommandFailure(
                .unreachable, "Signed out here; the node was not told and may keep the session until it expires.",
                hint: "clavitor sessions ls, once it can be reached")
        }
        workspace.terminal.note("Signed out.")
    }
}

struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make this machine forget an account: session, pins and its copy of the L2 key.",
        discussion: "The account itself stays. The next login trusts what the node says as if it were the first.")

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        let workspace = try Workspace(global)
        guard let account = try workspace.sessions.current(on: try workspace.namedServer()) else {
            throw CommandFailure(.notSignedIn, "This machine knows no account.")
        }
        let question = "Forget \(account.email) at \(account.server)?"
        guard try yes || workspace.terminal.confirm(question, otherwise: "Add --yes.") else { return }
        try workspace.sessions.forget(account)
        workspace.terminal.note("Forgotten.")
    }
}
