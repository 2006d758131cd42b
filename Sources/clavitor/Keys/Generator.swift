import Glibc

/// Makes passwords and passphrases that nobody has thought of.
///
/// `Int.random(in:)` rejects rather than wraps around, so no character and no word is likelier than another.
struct Generator {
    static let lengths = 8...1_024
    static let wordCounts = 4...64

    private static let classes = [
        "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!#$%&*+-./:;<=>?@^_~",
    ].map(Array.init)

    /// Characters of four kinds, each present: what a site that counts kinds asks for. Drawn whole and drawn again
    /// until they are, so that every allowed password is as likely as every other.
    static func password(length: Int) -> String {
        precondition(lengths.contains(length), "callers check the length")
        let all = classes.flatMap { $0 }
        var generator = SystemRandomNumberGenerator()
        while true {
            let characters = (0..<length).map { _ in all[Int.random(in: all.indices, using: &generator)] }
            if classes.allSatisfy({ kind in characters.contains { kind.contains($0) } }) { return String(characters) }
        }
    }

    static func passphrase(words count: Int) -> String {
        precondition(wordCounts.contains(count), "callers check the count")
        var generator = SystemRandomNumberGenerator()
        let words = WordList.words
        return (0..<count).map { _ in words[Int.random(in: words.indices, using: &generator)] }.joined(separator: "-")
    }

    /// Bits of entropy of a passphrase, rounded down.
    static func bits(words count: Int) -> Int {
        Int(Double(count) * log2(Double(WordList.words.count)))
    }
}
