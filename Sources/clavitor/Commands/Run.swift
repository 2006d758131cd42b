import ArgumentParser
import Glibc

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a program with secrets in its environment.",
        discussion: """
            Every value of four characters or more is replaced by ••• in what the program prints, and so are its \
            base64 and URL-encoded forms. The program's output is a pipe then; --no-mask leaves it the terminal. The \
            exit code is the program's. A file of --env-file has lines KEY=ENTRY/FIELD and comments with #.

              clavitor run --env DB_PASSWORD=postgres/password -- pg_dump shop
            """)

    @Option(help: ArgumentHelp("A variable and what is in it. May be repeated.", valueName: "key=entry/field"))
    var env: [String] = []

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp("A file with such lines. May be repeated.", valueName: "path"),
        completion: .file())
    var envFile: [String] = []

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
        let bindings =
            try envFile.flatMap { try EnvironmentBinding.lines(of: try SecretSource.file($0)) }
            + env.map { try EnvironmentBinding($0) }
        let secrets = try await workspace.signedIn { signedIn in
            var secrets: [String: String] = [:]
            for binding in bindings {
                let (entry, field) = try await EntryFinder(signedIn: signedIn).fieldTarget(binding.path)
                secrets[binding.key] = try await FieldReader(signedIn: signedIn).value(of: field, in: entry)
            }
            return secrets
        }
        let child = ChildProcess(command: program, arguments: Array(command.dropFirst()), secrets: secrets)
        let code = try await child.run(masking: !withoutMask)
        throw ExitCode(code)
    }
}
