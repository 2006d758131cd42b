import ArgumentParser
import FoundationEssentials
import Glibc

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a program with secrets in its environment.",
        discussion: """
            Masks values of four characters or more as ••• in the program's output to the terminal and to standard error, \
            also in their base64, JSON, URL and shell encodings. Output to a file or pipe is not masked, unless --mask is \
            given. --no-mask disables masking and gives the program the terminal. The exit code is the program's. An \
            --env-file has lines KEY=ENTRY/FIELD and comments with #.

              clavitor run --env DB_PASSWORD=postgres/password -- pg_dump shop
            """)

    @Option(help: ArgumentHelp("Environment variable and its field. Repeatable.", valueName: "key=entry/field"))
    var env: [String] = []

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp("File with KEY=ENTRY/FIELD lines. Repeatable.", valueName: "path"),
        completion: .file())
    var envFile: [String] = []

    @Flag(help: "Mask standard output to a file or pipe too.")
    var mask = false

    @Flag(name: .customLong("no-mask"), help: "Do not mask output.")
    var withoutMask = false

    @Argument(parsing: .postTerminator, help: "Program and arguments, after --.")
    var command: [String] = []

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        guard let program = command.first else {
            throw CommandFailure(
                .usage, "No program was given.", hint: "clavitor run --env KEY=ENTRY/FIELD -- PROGRAM ARGUMENTS")
        }
        guard !mask || !withoutMask else {
            throw CommandFailure(.usage, "--mask and --no-mask are mutually exclusive.")
        }
        var environment = ProcessInfo.processInfo.environment
        // Check the program before reading from the vault.
        let path = try Executable.path(of: program, searching: environment["PATH"])
        let bindings =
            try envFile.flatMap { try EnvironmentBinding.lines(of: try SecretSource.file($0)) }
            + env.map { try EnvironmentBinding($0) }
        // Without bindings no session is needed.
        let secrets = bindings.isEmpty ? [:] : try await context.signedIn { try await values(of: bindings, $0) }
        environment.merge(secrets) { _, secret in secret }
        let child = ChildProcess(
            path: path, arguments: command, environment: environment, secrets: Array(secrets.values))
        if withoutMask || secrets.isEmpty { throw child.replaceProcess() }
        let masking = ChildProcess.Masking(output: mask || context.terminal.isOutputInteractive, errors: true)
        throw ExitCode(try await child.run(masking))
    }

    private func values(of bindings: [EnvironmentBinding], _ signedIn: SignedIn) async throws -> [String: String] {
        let fields = try await EntryFinder(signedIn: signedIn).fieldTargets(bindings.map(\.path))
        var values: [String: String] = [:]
        for (binding, value) in zip(bindings, try await FieldReader(signedIn: signedIn).values(of: fields)) {
            guard !value.utf8.contains(0) else {
                throw CommandFailure(
                    .failed, "The value for \(binding.key) contains a NUL, which an environment variable cannot.")
            }
            values[binding.key] = value
        }
        return values
    }
}
