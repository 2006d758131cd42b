import ArgumentParser

/// Suggests a command for a mistyped one.
enum Suggestion {
    /// Names of the same commands in other password managers.
    private static let elsewhere = [
        "create": "add", "new": "add", "insert": "add", "list": "ls", "search": "ls --text TEXT",
        "find": "ls --text TEXT",
        "show": "get", "read": "get", "cat": "get", "copy": "get --copy", "clip": "get --copy", "code": "totp",
        "otp": "totp", "update": "edit", "set": "edit", "mv": "edit --title", "rename": "edit --title", "delete": "rm",
        "remove": "rm", "trash": "ls --trash", "untrash": "restore", "undelete": "restore", "exec": "run",
        "gen": "generate",
        "pwgen": "generate", "signup": "register", "signin": "login", "unlock": "login", "lock": "logout",
        "signout": "logout", "whoami": "status", "passwd": "password", "2fa": "second-factor", "mfa": "second-factor",
        "log": "audit", "token": "agent create", "tokens": "agent ls",
    ]

    /// Returns the command line up to the first unknown name, with that name replaced by the nearest known one; nil when no name
    /// is near, or none is unknown.
    static func command(for arguments: [String]) -> String? {
        if let first = arguments.map(NameArgument.name).first(where: { !$0.hasPrefix("-") }),
            let suggestion = elsewhere[first]
        {
            return "clavitor \(suggestion)"
        }
        var words = ["clavitor"]
        var commands = Clavitor.configuration.all
        for argument in arguments.map(NameArgument.name) where !argument.hasPrefix("-") {
            if let known = commands.first(where: { $0._commandName == argument }) {
                words.append(argument)
                commands = known.configuration.all
                if commands.isEmpty { return nil }
                continue
            }
            let names = commands.map { $0._commandName }
            let nearest = names.min { distance($0, argument) < distance($1, argument) }
            // Up to a third of the letters may differ.
            guard let nearest, distance(nearest, argument) <= max(1, argument.count / 3) else { return nil }
            return (words + [nearest]).joined(separator: " ")
        }
        return nil
    }

    /// The edit distance with transpositions (restricted Damerau–Levenshtein).
    static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one), Array(other))
        var rows = [Array(0...other.count)]
        for (index, letter) in one.enumerated() {
            var row = [index + 1]
            for (column, another) in other.enumerated() {
                var least = min(
                    rows[index][column + 1] + 1, row[column] + 1, rows[index][column] + (letter == another ? 0 : 1))
                if index > 0, column > 0, letter == other[column - 1], one[index - 1] == another {
                    least = min(least, rows[index - 1][column - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}

extension CommandConfiguration {
    fileprivate var all: [any ParsableCommand.Type] { subcommands }
}
