import Foundation

/// A command from a program's `--experimental-dump-help`.
struct ProgramDescription: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var names: [Name]?
        var abstract: String?
        var discussion: String?
    }
    private struct Tree: Decodable { var command: ProgramDescription }

    var commandName: String
    var subcommands: [ProgramDescription]?
    var arguments: [Argument]?

    /// `command`: A subcommand; nil for the whole program.
    static func read(_ program: String, _ command: String? = nil) throws -> ProgramDescription {
        let help = try Program(name: program).run([command, "--experimental-dump-help"].compactMap(\.self)).output
        return try JSONDecoder().decode(Tree.self, from: Data(help.utf8)).command
    }

    func has(_ flag: String) -> Bool {
        (arguments ?? []).contains { argument in
            (argument.names ?? []).contains { name in
                flag == (name.kind == "long" ? "--\(name.name)" : "-\(name.name)")
            }
        }
    }
}
