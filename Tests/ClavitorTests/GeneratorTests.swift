import Testing

@testable import clavitor

@Suite struct GeneratorTests {
    @Test(arguments: [8, 20, 1_024])
    func aPasswordHasItsLengthAndEveryKind(_ length: Int) {
        for _ in 0..<50 {
            let password = Generator.password(length: length)
            #expect(password.count == length)
            #expect(password.allSatisfy { $0.isASCII && !$0.isWhitespace })
            #expect(password.contains { $0.isLowercase })
            #expect(password.contains { $0.isUppercase })
            #expect(password.contains { $0.isNumber })
            #expect(password.contains { !$0.isLetter && !$0.isNumber })
        }
    }

    @Test(arguments: [4, 6, 64])
    func aPassphraseHasItsWords(_ count: Int) {
        let words = Generator.passphrase(words: count).split(separator: "-")
        #expect(words.count == count)
        #expect(words.allSatisfy { WordList.words.contains(String($0)) })
    }

    @Test func theListIsLongEnoughAndWithoutRepetition() {
        #expect(WordList.words.count >= 1_024)
        #expect(Set(WordList.words).count == WordList.words.count)
        #expect(
            WordList.words.allSatisfy {
                (3...8).contains($0.utf8.count) && $0.utf8.allSatisfy { (97...122).contains($0) }
            })
    }

    @Test func passwordsAreDistinct() {
        #expect(Set((0..<500).map { _ in Generator.password(length: 12) }).count == 500)
    }

    /// Detects a bias of 10 %: 40,000 draws, each character about 470 times.
    @Test func charactersAreUniform() {
        var counts: [Character: Int] = [:]
        for _ in 0..<40 { for character in Generator.password(length: 1_000) { counts[character, default: 0] += 1 } }
        let share = 40_000 / counts.count
        #expect(counts.values.allSatisfy { abs($0 - share) < share / 3 })
    }
}
