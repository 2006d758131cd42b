import ArgumentParser

/// What somebody may have meant who mistyped a command.
enum Suggestion {
    /// What other programs of this kind call it.
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

    /// The command line as far as it is right, with the nearest name in place of the first wrong one; nil when there is none
    /// near, or none is wrong.
    static func command(for arguments: [String]) -> String? {
        if let first = arguments.map(NameArgument.name).first(where: { !$0.hasPrefix("-") }),
            let ours = elsewhere[first]
        {
            return "clavitor \(ours)"
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
            // A third of it may be wrong.
            guard let nearest, distance(nearest, argument) <= max(1, argument.count / 3) else { return nil }
            return (words + [nearest]).joined(separator: " ")
        }
        return nil
    }

    /// Letters to put in, take out, replace or exchange (Damerau and Levenshtein, restricted).
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
