import ArgumentParser
import Glibc
import Wire

/// The options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The node, such as https://zurich.example.net.", valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "Which of the accounts that this machine knows; the last one used when left out.", valueName: "email"))
    var account: String?

    @Option(
        name: .customLong("ca-file"),
        help: ArgumentHelp("Trust these certificates instead of the system's; remembered at login.", valueName: "pem"),
        completion: .file())
    var caFile: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(
        name: .customLong("password-stdin"), help: "Take each password that is asked for from a line of standard input."
    )
    var passwordStdin = false

    @Option(
        name: .customLong("password-file"),
        help: ArgumentHelp("Take the account's password from a file.", valueName: "path"),
        completion: .file())
    var passwordFile: String?

    @Option(
        name: .customLong("token-file"),
        help: ArgumentHelp("Act as the agent whose token is in this file.", valueName: "path"), completion: .file())
    var tokenFile: String?

    @Option(
        name: .customLong("state-dir"), help: ArgumentHelp("Keep sessions here.", visibility: .hidden),
        completion: .directory)
    var stateDirectory: String?
}

/// What a command works with: the options that all share, put together with the environment.
struct Workspace {
    let terminal = Terminal()
    let secrets: SecretSource
    let sessions: SessionStore
    let printsJSON: Bool
    let tokenFile: String?
    private let server: String?
    private let givenCAFile: String?

    init(_ options: GlobalOptions, environment: ProcessEnvironment = ProcessEnvironment()) throws {
        if options.passwordStdin, options.passwordFile != nil {
            throw CommandFailure(.usage, "--password-stdin and --password-file exclude each other.")
        }
        secrets = SecretSource(
            terminal: terminal,
            passwordFile: options.passwordStdin ? nil : options.passwordFile ?? environment.passwordFile,
            takesPasswordFromInput: options.passwordStdin)
        sessions = SessionStore(
            directory: options.stateDirectory ?? environment.stateDirectory, email: options.account)
        printsJSON = options.json
        tokenFile = options.tokenFile ?? environment.tokenFile
        server = options.server ?? environment.server
        givenCAFile = try (options.caFile ?? environment.caFile).map(Self.absolute)
    }

    /// The node that was named; nil when none was.
    func namedServer() throws -> ServerAddress? {
        guard let server else { return nil }
        guard let address = ServerAddress(server) else {
            throw CommandFailure(
                .usage, "\(server) is no node's address.", hint: "An address is https://HOST or https://HOST:PORT.")
        }
        return address
    }

    /// The node that was named, else the one signed in to.
    func someServer() throws -> ServerAddress {
        if let named = try namedServer() { return named }
        guard let known = try sessions.current(on: nil).flatMap({ ServerAddress($0.server) }) else {
            throw CommandFailure(.usage, "Which node?", hint: "Add --server URL or set CLAVITOR_SERVER.")
        }
        return known
    }

    /// The certificates to trust for a node: given now, or at its last login.
    func caFile(for server: ServerAddress) throws -> String? {
        try givenCAFile ?? sessions.current(on: server)?.caFile
    }

    /// Runs `body` with a node, signed in to it or not.
    func connected<Result>(to server: ServerAddress, _ body: (NodeClient) async throws -> Result) async throws -> Result
    {
        try await NodeClient.connected(to: server, trusting: try caFile(for: server), body)
    }

    /// Prints `value` as JSON where that is wanted, else what `text` makes of it.
    ///
    /// `otherwise`: For what is shown only this once: what is so although it could not be shown, and how to get another.
    func show(_ value: some Encodable, otherwise: String? = nil, as text: () throws -> String) throws {
        do {
            if printsJSON { try terminal.json(value) } else { try terminal.line(try text()) }
        } catch let failure as CommandFailure {
            throw CommandFailure(failure.outcome, failure.message, hint: otherwise ?? failure.hint)
        }
    }

    private static func absolute(_ path: String) throws -> String {
        guard let resolved = unsafe realpath(path, nil) else {
            throw CommandFailure(.usage, "\(path) does not exist.", hint: "Give the node's certificate: --ca-file PEM")
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
