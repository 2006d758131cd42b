import ArgumentParser
import Files
import Wire

/// The options of all commands.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("URL of the node, such as https://zurich.example.net.", valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "Account on this machine. Default: the last one used.", valueName: "email"))
    var account: String?

    @Option(
        name: .customLong("ca-file"),
        help: ArgumentHelp(
            "PEM file of trusted certificates, instead of the system's; stored at login.", valueName: "pem"),
        completion: .file())
    var caFile: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(
        name: .customLong("password-stdin"), help: "Read each password from a line of standard input."
    )
    var passwordStdin = false

    @Option(
        name: .customLong("password-file"),
        help: ArgumentHelp("Read the account's password from a file.", valueName: "path"),
        completion: .file())
    var passwordFile: String?

    @Option(
        name: .customLong("token-file"),
        help: ArgumentHelp("Act as the agent whose token is in the file.", valueName: "path"), completion: .file())
    var tokenFile: String?

    @Option(
        name: .customLong("state-dir"), help: ArgumentHelp("Directory for sessions.", visibility: .hidden),
        completion: .directory)
    var stateDirectory: String?
}

/// The context of a command: the global options merged with the environment.
struct CommandContext {
    let terminal = Terminal()
    let secrets: SecretSource
    let sessions: SessionStore
    let printsJSON: Bool
    let tokenFile: String?
    private let server: String?
    private let givenCAFile: String?

    init(_ options: GlobalOptions, environment: ProcessEnvironment = ProcessEnvironment()) throws {
        if options.passwordStdin, options.passwordFile != nil {
            throw CommandFailure(.usage, "--password-stdin and --password-file are mutually exclusive.")
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

    /// The node given by an option or the environment; nil if there is none.
    func namedServer() throws -> ServerAddress? {
        guard let server else { return nil }
        guard let address = ServerAddress(server) else {
            throw CommandFailure(
                .usage, "\(server) is not a node URL.", hint: "A node URL is https://HOST or https://HOST:PORT.")
        }
        return address
    }

    /// The given node, otherwise the one of the current session.
    func someServer() throws -> ServerAddress {
        if let named = try namedServer() { return named }
        guard let known = try sessions.current(on: nil).flatMap({ ServerAddress($0.server) }) else {
            throw CommandFailure(.usage, "No node was given.", hint: "Add --server URL or set CLAVITOR_SERVER.")
        }
        return known
    }

    /// The trusted certificates for a node: given now, or at its last login.
    func caFile(for server: ServerAddress) throws -> String? {
        try givenCAFile ?? sessions.current(on: server)?.caFile
    }

    /// Runs `body` with a client of the node, with or without a session.
    func connected<Result>(to server: ServerAddress, _ body: (NodeClient) async throws -> Result) async throws -> Result
    {
        try await NodeClient.connected(to: server, trusting: try caFile(for: server), body)
    }

    /// Prints `value` as JSON with `--json`, otherwise as `text`.
    ///
    /// `otherwise`: The error text when a value that is shown only once could not be written: what happened, and how to get another.
    func show(_ value: some Encodable, otherwise: String? = nil, as text: () throws -> String) throws {
        do {
            if printsJSON { try terminal.json(value) } else { try terminal.line(try text()) }
        } catch let failure as CommandFailure {
            throw CommandFailure(failure.outcome, failure.message, hint: otherwise ?? failure.hint)
        }
    }

    private static func absolute(_ path: String) throws -> String {
        guard File.exists(path) else {
            throw CommandFailure(.usage, "\(path) does not exist.", hint: "Give the node's certificate: --ca-file PEM")
        }
        return Directory.resolved(path)
    }
}
