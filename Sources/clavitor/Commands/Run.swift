import ArgumentParser
import FoundationEssentials
import Glibc

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a program with secrets in its environment.",
        discussion: """
            Every value of four characters or more is replaced by ••• in what the program prints to the terminal and to \
            standard error, and so are its forms in base64, JSON, URLs and shells. What goes to a file or another program \
            is left as it is, unless --mask is given. --no-mask looks at nothing and leaves the program the terminal. \
            The exit code is the program's. A file of --env-file has lines KEY=ENTRY/FIELD and comments with #.

              clavitor run --env DB_PASSWORD=postgres/password -- pg_dump shop
            """)

    @Option(help: ArgumentHelp("A variable and what is in it. May be repeated.", valueName: "key=entry/field"))
    var env: [String] = []

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp("A file with such lines. May be repeated.", valueName: "path"),
        completion: .file())
    var envFile: [String] = []

    @Flag(help: "Mask standard output even where it goes to a file or another program, such as a log.")
    var mask = false

    @Flag(name: .customLong("no-mask"), help: "Do not look at what the program prints.")
    var withoutMask = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        guard let program = command.first else {
            throw CommandFailure(
                .usage, "Which program?", hint: "clavitor run --env KEY=ENTRY/FIELD -- PROGRAM ARGUMENTS")
        }
        guard !mask || !withoutMask else { throw CommandFailure(.usage, "--mask and --no-mask exclude each other.") }
        var environment = ProcessInfo.processInfo.environment
        // Before anything is read from the vault for a program that is not there.
        let path = try Executable.path(of: program, searching: environment["PATH"])
        let bindings =
            try envFile.flatMap { try EnvironmentBinding.lines(of: try SecretSource.file($0)) }
            + env.map { try EnvironmentBinding($0) }
        // Who asks for nothing need not be signed in.
        let secrets = bindings.isEmpty ? [:] : try await workspace.signedIn { try await values(of: bindings, $0) }
        environment.merge(secrets) { _, secret in secret }
        let child = ChildProcess(
            path: path, arguments: command, environment: environment, secrets: Array(secrets.values))
        if withoutMask || secrets.isEmpty { throw child.become() }
        let masking = ChildProcess.Masking(output: mask || workspace.terminal.isOutputInteractive, errors: true)
        throw ExitCode(try await child.run(masking))
    }

    private func values(of bindings: [EnvironmentBinding], _ signedIn: SignedIn) async throws -> [String: String] {
        let fields = try await EntryFinder(signedIn: signedIn).fieldTargets(bindings.map(\.path))
        var values: [String: String] = [:]
        for (binding, value) in zip(bindings, try await FieldReader(signedIn: signedIn).values(of: fields)) {
            guard !value.utf8.contains(0) else {
                throw CommandFailure(.failed, "The value for \(binding.key) has a NUL in it, which no environment can.")
            }
            values[binding.key] = value
        }
        return values
    }
}
