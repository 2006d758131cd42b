/// The text of a kept file: facts in comments, then PEM, then a last line that shows that nothing is missing.
///
/// One file for a certificate and its key, so that the two are never torn apart; `openssl x509 -in` reads it all the same.
struct KeptFile: Equatable {
    var kind: String
    /// In a line each: a word, a space, the rest.
    var facts: [String: String]
    var pem: String

    private static let end = "# end\n"

    init(kind: String, facts: [String: String], pem: String) {
        self.kind = kind
        self.facts = facts
        self.pem = pem
    }

    /// Nil for a file that is torn or somebody else's.
    init?(kind: String, _ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix(Self.end) else { return nil }
        var lines = text.dropLast(Self.end.count).split(separator: "\n", omittingEmptySubsequences: true)[...]
        guard lines.popFirst() == "# clavitor \(kind) 1" else { return nil }
        facts = [:]
        while let line = lines.first, line.hasPrefix("# ") {
            let words = line.dropFirst(2).split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            facts[String(words[0])] = String(words[1])
            lines.removeFirst()
        }
        self.kind = kind
        pem = lines.joined(separator: "\n") + "\n"
    }

    var bytes: [UInt8] {
        let lines = facts.sorted { $0.key < $1.key }.map { "# \($0.key) \($0.value)\n" }.joined()
        return Array("# clavitor \(kind) 1\n\(lines)\(pem)\(pem.hasSuffix("\n") ? "" : "\n")\(Self.end)".utf8)
    }
}
