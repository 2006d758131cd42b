import ArgumentParser

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make up a password or a passphrase.",
        discussion: "Nothing is stored. --words 6 makes one that can be remembered and typed.")

    @Option(help: ArgumentHelp("Characters of a password.", valueName: "characters"))
    var length = 20

    @Option(help: ArgumentHelp("Words of a passphrase instead.", valueName: "count"))
    var words: Int?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard Generator.lengths.contains(length) else {
            throw ValidationError(
                "--length is from \(Generator.lengths.lowerBound) to \(Generator.lengths.upperBound).")
        }
        if let words, !Generator.wordCounts.contains(words) {
            let counts = Generator.wordCounts
            throw ValidationError("--words is from \(counts.lowerBound) to \(counts.upperBound).")
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
