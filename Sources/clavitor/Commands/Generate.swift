import ArgumentParser

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Generate a password or passphrase.",
        discussion: "Nothing is stored. --words 6 generates a passphrase that is easy to remember.")

    @Option(help: ArgumentHelp("Password length.", valueName: "characters"))
    var length = 20

    @Option(help: ArgumentHelp("Number of words of a passphrase.", valueName: "count"))
    var words: Int?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard Generator.lengths.contains(length) else {
            throw ValidationError(
                "--length must be an integer from \(Generator.lengths.lowerBound) to \(Generator.lengths.upperBound).")
        }
        if let words, !Generator.wordCounts.contains(words) {
            let counts = Generator.wordCounts
            throw ValidationError("--words must be an integer from \(counts.lowerBound) to \(counts.upperBound).")
        }
    }

    func run() throws {
        let terminal = Terminal()
        let made = words.map { Generator.passphrase(words: $0) } ?? Generator.password(length: length)
        guard !json else { return try terminal.json(["password": made]) }
        try terminal.isOutputInteractive ? terminal.line(made) : terminal.write(made)
        if let words, terminal.isOutputInteractive {
            terminal.note("\(words) of \(WordList.words.count) words: \(Generator.bits(words: words)) bits.")
        }
    }
}
