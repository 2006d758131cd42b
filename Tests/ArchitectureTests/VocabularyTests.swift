import Foundation
import Testing

/// Words that were replaced by the field's terms (docs/GLOSSARY.md) and must not return, neither in names nor in comments.
@Suite struct VocabularyTests {
    private static let replaced = [
        "audience": "event broker", "bell": "wake signal", "breathe": "yield", "courier": "channel sender",
        "desk": "recipient queue", "doubtful": "evaluation paused", "grievance": "failure throttle",
        "household": "maintenance", "ills": "health problems", "judge": "evaluate", "judged": "evaluated",
        "judgement": "evaluation", "judges": "evaluates", "keeper": "store, maintenance", "lump": "non-yielding work",
        "neighbourhood": "rate-limit prefix", "roster": "agents", "settle": "upgrade", "sighting": "health observation",
        "stranger": "unauthenticated", "strangers": "unauthenticated", "turnstile": "mutex", "twin": "companion key",
        "wish": "request", "workplace": "context",
    ]

    /// Where a word is what the field or the stored data calls it.
    private static let allowed: [String: Set<String>] = [
        // Words for pass phrases.
        "Sources/clavitor/Keys/WordList.swift": ["bell", "desk", "judge", "twin", "wish"],
        // The value that is stored and sent.
        "Sources/Vault/Audit/AuditEvent.swift": ["stranger"],
        "Sources/API/Description/Schema.swift": ["stranger"],
        "Sources/Wire/AgentBodies.swift": ["stranger"],
        // The interface that a token is for (RFC 7519 section 4.1.3).
        "Sources/VaultFormat/Credential.swift": ["audience"],
        // A table's name.
        "Sources/Monitor/Store/MonitorSchema.swift": ["roster"],
        "Sources/Monitor/Store/MonitorStore.swift": ["roster"],
    ]

    private static func words(of text: String) -> Set<String> {
        var words: Set<String> = []
        for run in text.matches(of: /[A-Za-z]+/) {
            for word in String(run.0).matches(of: /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/) { words.insert(word.0.lowercased()) }
        }
        return words
    }

    @Test func replacedWordsDoNotReturn() throws {
        for file in try SourceTree.files(in: "Sources") {
            let words = Self.words(of: file.text).intersection(Self.replaced.keys)
            for word in words.subtracting(Self.allowed[file.name] ?? []).sorted() {
                Issue.record("\(file.name) says \"\(word)\"; say \(Self.replaced[word] ?? "something else")")
            }
        }
    }

    @Test func everyExceptionIsNeeded() throws {
        let files = Dictionary(uniqueKeysWithValues: try SourceTree.files(in: "Sources").map { ($0.name, $0.text) })
        for (name, words) in Self.allowed {
            let text = try #require(files[name], "there is no \(name)")
            #expect(words.isSubset(of: Self.words(of: text)), "\(name)")
        }
    }

    @Test(arguments: [("isJudged", true), ("FleetJudge", true), ("// who judges", true), ("adjudged", false)])
    func wordsAreFoundInNames(_ text: String, _ isFound: Bool) {
        #expect(Self.words(of: text).isDisjoint(with: Self.replaced.keys) != isFound)
    }
}
