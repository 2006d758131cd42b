import ArgumentParser
import Console
import Files
import Fleet
import FoundationEssentials

/// Manages the emergency sshd for the loss of the hub.
struct BreakGlassCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "break-glass",
        abstract: "Set, test and show emergency access for the loss of the hub.",
        discussion: """
            `enable` and `disable` change the inventory; the nodes follow with the next deploy. The emergency sshd is stopped \
            by default. `show` exits with 1 if a node has not been tested recently.
            """,
        subcommands: [Enable.self, Disable.self, Test.self, Show.self])

    /// Nodes that were not tested for `days`; nil if break-glass access is not configured.
    static func due(_ options: OperatorOptions, after days: Int) throws -> [String]? {
        let inventory = try options.file.read()
        guard inventory.breakGlass.isThere else { return nil }
        return try BreakGlassFile(options).read().due(inventory.nodes, after: days, now: OperatorContext.now())
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set the key and the addresses.")

        @OptionGroup var options: OperatorOptions
        @Option(help: "File with the public key. Keep the private key in a safe.") var keyFile: String
        @Option(parsing: .upToNextOption, help: "IPv4 addresses that may connect.") var from: [String]
        @Flag(help: "Print the plan and stop.") var dryRun = false

        func run() throws {
            let key = try File.read(keyFile, most: 4_096, for: "--key-file").line
            let edit = try BreakGlassEdit(sshKey: key, from: from)
            try options.perform(edit, dryRun: dryRun)
            guard !dryRun else { return }
            Terminal.line("After the deploy, test it: clavitor-soc break-glass test --break-glass-key FILE")
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove the key and the addresses.")

        @OptionGroup var options: OperatorOptions
        @Flag(help: "Print the plan and stop.") var dryRun = false

        func run() throws {
            try options.perform(.disable, dryRun: dryRun)
            if !dryRun { try BreakGlassFile(options).remove() }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start the emergency sshd over the tunnel, connect to it, and stop it.",
            discussion: "Run it from an address that may connect. Exits with 1 if a test fails.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Nodes. (default: all)") var nodes: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            guard let key = options.breakGlassKey ?? context.settings.breakGlassKey else {
                throw CommandFailure("The private key is required: --break-glass-key FILE", code: 2)
            }
            let file = try BreakGlassFile(options)
            var failures = 0
            for node in try context.nodes(nodes) {
                let test = BreakGlassTest(
                    NodeShell(try context.ssh, node), NodeShell(try context.emergency(key: key), node))
                do {
                    try await test.run()
                    try file.recordSuccess(node.name, at: OperatorContext.now())
                    Terminal.line("\(node.name): break-glass access works; its sshd is stopped again")
                } catch {
                    failures += 1
                    Terminal.line("\(node.name): \(error)".printable)
                }
            }
            if failures > 0 { throw ExitCode(1) }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the key, the addresses, and nodes without a recent test.")

        @OptionGroup var options: OperatorOptions
        @Option(help: "Days after which a test must be repeated.") var days = 90

        func run() throws {
            let inventory = try options.file.read()
            guard inventory.breakGlass.isThere else {
                Terminal.line("Break-glass access is not configured.")
                if inventory.breakGlass.enabled == false { return }
                throw ExitCode(1)
            }
            let (key, from) = (inventory.breakGlass.sshKey, inventory.breakGlass.from.joined(separator: ", "))
            Terminal.line("\(key) from \(from)".printable)
            guard let due = try BreakGlassCommand.due(options, after: days), !due.isEmpty else { return }
            Terminal.note("Not tested for \(days) days: \(due.joined(separator: ", ")). clavitor-soc break-glass test")
            throw ExitCode(1)
        }
    }
}

/// The file with test results, in the state directory.
private struct BreakGlassFile {
    private let path: String

    init(_ options: OperatorOptions) throws { path = "\(try options.stateDirectory())/break-glass-tests.json" }

    func read() throws -> BreakGlassTestRecord {
        guard File.exists(path) else { return BreakGlassTestRecord() }
        return try JSONDecoder().decode(BreakGlassTestRecord.self, from: Data(try File.read(path, most: 1 << 16).utf8))
    }

    func recordSuccess(_ node: String, at now: Int64) throws {
        var tests = try read()
        tests.passed[node] = now
        try File.replace(path, with: String(decoding: try JSONEncoder().encode(tests), as: UTF8.self), mode: 0o600)
    }

    func remove() throws { File.remove(path) }
}

extension OperatorOptions {
    fileprivate func perform(_ edit: BreakGlassEdit, dryRun: Bool) throws {
        let present = try file.read()
        for line in edit.plan(present.breakGlass, nodes: present.nodes.count) { Terminal.line(line) }
        if !dryRun { try file.edit { try edit.edited($0) } }
    }
}

extension String {
    /// The first line.
    fileprivate var line: String { String(prefix { !$0.isNewline }) }
}
