/// A PEM file with header lines in comments, and a last line that proves that the file is complete.
///
/// One file holds a certificate and its key, so that they cannot get out of step; `openssl x509 -in` reads it too.
struct PEMFile: Equatable {
    var kind: String
    /// One line each: name, space, value.
    var headers: [String: String]
    var pem: String

    private static let end = "# end\n"

    init(kind: String, headers: [String: String], pem: String) {
        self.kind = kind
        self.headers = headers
        self.pem = pem
    }

    /// Parses a stored file. Nil for one that is truncated or of another kind.
    init?(kind: String, _ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix(Self.end) else { return nil }
        var lines = text.dropLast(Self.end.count).split(separator: "\n", omittingEmptySubsequences: true)[...]
        guard lines.popFirst() == "# clavitor \(kind) 1" else { return nil }
        headers = [:]
        while let line = lines.first, line.hasPrefix("# ") {
            let words = line.dropFirst(2).split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            headers[String(words[0])] = String(words[1])
            lines.removeFirst()
        }
        self.kind = kind
        pem = lines.joined(separator: "\n") + "\n"
    }

    var bytes: [UInt8] {
        let lines = headers.sorted { $0.key < $1.key }.map { "# \($0.key) \($0.value)\n" }.joined()
        return Array("# clavitor \(kind) 1\n\(lines)\(pem)\(pem.hasSuffix("\n") ? "" : "\n")\(Self.end)".utf8)
    }
}
