/// `KEY=entry/field` pairs: of `--env`, and of the lines of `--env-file`.
struct EnvironmentBinding: Equatable {
    let key: String
    /// ENTRY/FIELD.
    let path: String

    /// - Throws: `CommandFailure` for a key that no environment takes, or a path without a field.
    init(_ text: some StringProtocol) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isKey(parts[0]) else {
            throw CommandFailure(.usage, "\"\(text)\" is not KEY=ENTRY/FIELD.")
        }
        guard parts[1].contains("/") else {
            throw CommandFailure(
                .usage, "\"\(parts[0])\" is bound to something that is no ENTRY/FIELD.",
                hint: "Values are read from the vault, never written here.")
        }
        key = String(parts[0])
        path = String(parts[1])
    }

    /// Empty lines and lines with `#` in front say nothing.
    static func lines(of text: String) throws -> [EnvironmentBinding] {
        try text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.drop { $0 == " " || $0 == "\t" }
            return line.isEmpty || line.first == "#" ? nil : try EnvironmentBinding(line)
        }
    }

    private static func isKey(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { character in
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
