/// A command line for a shell, made of words that the shell must take as they are.
package struct RemoteCommand: Equatable, Sendable, CustomStringConvertible {
    package let words: [String]

    package init(_ words: [String]) {
        self.words = words
    }

    /// What `sh -c` takes, and sshd therefore too: it joins what it is given and hands it to a shell.
    package var description: String { words.map(Self.quoted).joined(separator: " ") }

    /// Between single quotes a POSIX shell leaves everything alone but a single quote.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy(isPlain)
        guard !isPlain else { return word }
        var quoted = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "'"
    }

    /// Not `=`: a first word with it would be an assignment. Not `~`, which is a home.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLowercaseLetter || byte.isUppercaseLetter || "-_./:@,+%".utf8.contains(byte)
    }
}
