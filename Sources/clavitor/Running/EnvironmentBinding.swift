/// A binding `KEY=entry/field` of `--env` or of a line of `--env-file`.
struct EnvironmentBinding: Equatable {
    let key: String
    /// ENTRY/FIELD.
    let path: String

    /// - Throws: `CommandFailure` for an invalid key, or a path without a field.
    init(_ text: some StringProtocol) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isKey(parts[0]) else {
            throw CommandFailure(.usage, "\"\(text)\" must be KEY=ENTRY/FIELD.")
        }
        guard parts[1].contains("/") else {
            throw CommandFailure(
                .usage, "\"\(parts[0])\" must be bound to ENTRY/FIELD.",
                hint: "Values are read from the vault, not given here.")
        }
        key = String(parts[0])
        path = String(parts[1])
    }

    /// Ignores empty lines and lines that begin with `#`.
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
