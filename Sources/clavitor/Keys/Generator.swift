import Glibc

/// Generates random passwords and passphrases.
///
/// `Int.random(in:)` has no modulo bias, so all characters and words are equally likely.
struct Generator {
    static let lengths = 8...1_024
    static let wordCounts = 4...64

    private static let classes = [
        "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!#$%&*+-./:;<=>?@^_~",
    ].map(Array.init)

    /// A password with lower case, upper case, digits and symbols, as password policies require. Rejection sampling of whole
    /// passwords, so that all allowed passwords are equally likely.
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

    /// The entropy of a passphrase in bits, rounded down.
    static func bits(words count: Int) -> Int {
        Int(Double(count) * log2(Double(WordList.words.count)))
    }
}
