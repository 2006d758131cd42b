import ArgumentParser
import Console
import Files
import Fleet
import FoundationEssentials

/// The door for the day when the hub is lost.
struct BreakGlassCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "break-glass", abstract: "Let one key knock from one address when the hub is lost, or no longer.",
        discussion:
            "Changes the inventory; the nodes follow with the next deploy. `show` exits with 1 when it is overdue.",
        subcommands: [Enable.self, Disable.self, Show.self])

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set the key and the address.")

        @OptionGroup var options: OperatorOptions
        @Option(help: "A file with the public key, whose private half lies in a safe.") var keyFile: String
        @Option(help: "The one IPv4 address that may knock.") var from: String
        @Option(help: "After so many days `show` reminds of removing it.") var days = 30
        @Flag(help: "Print the plan and stop.") var dryRun = false

        func validate() throws {
            guard (1...366).contains(days) else { throw ValidationError("--days is 1 to 366.") }
        }

        func run() throws {
            let key = try File.read(keyFile, most: 4_096, for: "--key-file").line
            let edit = try BreakGlassEdit(sshKey: key, from: from)
            try options.perform(edit, dryRun: dryRun)
            guard !dryRun else { return }
            let until = Workplace.now() + Int64(days) * 86_400
            try BreakGlassFile(options).write(BreakGlassReminder(until: until))
            Terminal.line("To be removed by \(Moment.text(until)); ask daily: clavitor-soc break-glass show")
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take the key and the address out.")

        @OptionGroup var options: OperatorOptions
        @Flag(help: "Print the plan and stop.") var dryRun = false

        func run() throws {
            try options.perform(.disable, dryRun: dryRun)
            if !dryRun { try BreakGlassFile(options).remove() }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print who may knock, and until when.")

        @OptionGroup var options: OperatorOptions

        func run() throws {
            let present = try options.file.read().breakGlass
            guard !present.sshKey.isEmpty else { return Terminal.line("Nobody may knock.") }
            Terminal.line("\(present.sshKey) from \(present.from)".printable)
            guard let reminder = try BreakGlassFile(options).read() else { return }
            Terminal.line("To be removed by \(Moment.text(reminder.until))")
            if let sentence = reminder.sentence(present, now: Workplace.now()) {
                Terminal.note(sentence)
                throw ExitCode(1)
            }
        }
    }
}

/// Until when, in the state directory.
private struct BreakGlassFile {
    private let path: String

    init(_ options: OperatorOptions) throws { path = "\(try options.stateDirectory())/break-glass.json" }

    func read() throws -> BreakGlassReminder? {
        guard File.exists(path) else { return nil }
        return try JSONDecoder().decode(
            BreakGlassReminder.self, from: Data(try File.read(path, most: 4_096).utf8))
    }

    func write(_ reminder: BreakGlassReminder) throws {
        try File.replace(
            path, with: String(decoding: try JSONEncoder().encode(reminder), as: UTF8.self), mode: 0o600)
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
    /// The first one.
    fileprivate var line: String { String(prefix { !$0.isNewline }) }
}
