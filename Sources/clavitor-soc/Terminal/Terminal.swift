import Console
import Files
import FoundationEssentials
import Glibc

/// Results go to standard output, what is only said along the way to standard error.
///
/// What nodes say is in many of these texts: a terminal is shown none of its control characters, whoever forgot them.
enum Terminal {
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    static func line(_ text: String) { write(shown(text) + "\n", to: STDOUT_FILENO) }

    static func note(_ text: String) { write(shown(text) + "\n", to: STDERR_FILENO) }

    /// Over what stands in the line.
    static func replaceLine(_ text: String) { write("\r\u{1b}[K" + shown(text), to: STDERR_FILENO) }

    /// Ends of lines are ours: whoever quotes somebody takes them out of what he quotes.
    static func shown(_ text: String) -> String { text.printable(keeping: "\n\t") }

    /// - Returns: The code.
    static func fail(_ text: String, code: Int32) -> Int32 {
        note("clavitor-soc: \(text)")
        return code
    }

    static func json(_ value: some Encodable, pretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        write(escaped(String(decoding: try encoder.encode(value), as: UTF8.self)) + "\n", to: STDOUT_FILENO)
    }

    /// What `shown` would take out, in JSON's own way: such characters stand in its texts alone, and programs want them.
    static func escaped(_ json: String) -> String {
        guard json.printable(keeping: "\n") != json else { return json }
        var escaped = ""
        for scalar in json.unicodeScalars {
            let text = String(scalar)
            let hex = String(scalar.value, radix: 16)
            escaped +=
                text.printable(keeping: "\n") == text
                ? text : "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
        return escaped
    }

    /// Nobody can be told of output that nobody reads.
    private static func write(_ text: String, to descriptor: Int32) {
        guard let file = try? OpenFile(duplicating: descriptor) else { return }
        try? file.write(Array(text.utf8))
    }
}
