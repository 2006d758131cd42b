/// A command line for a shell, made of words that must reach the command unchanged.
package struct RemoteCommand: Equatable, Sendable, CustomStringConvertible {
    package let words: [String]

    package init(_ words: [String]) {
        self.words = words
    }

    /// The quoted form for `sh -c`, and for sshd, which passes its command to a shell.
    package var description: String { words.map(Self.quoted).joined(separator: " ") }

    /// Quotes with single quotes, in which only a single quote itself is special in a POSIX shell.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy(isPlain)
        guard !isPlain else { return word }
        var quoted = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "'"
    }

    /// Excludes `=`, because a first word with it is an assignment, and `~`, which expands to a home directory.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLowercaseLetter || byte.isUppercaseLetter || "-_./:@,+%".utf8.contains(byte)
    }
}
