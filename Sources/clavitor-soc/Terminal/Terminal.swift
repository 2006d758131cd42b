import Console
import Files
import FoundationEssentials
import Glibc

/// Writes results to standard output, and progress and errors to standard error.
///
/// Replaces control characters in all output, because texts from nodes are untrusted.
enum Terminal {
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    static func line(_ text: String) { write(shown(text) + "\n", to: STDOUT_FILENO) }

    static func note(_ text: String) { write(shown(text) + "\n", to: STDERR_FILENO) }

    /// Overwrites the current line.
    static func replaceLine(_ text: String) { write("\r\u{1b}[K" + shown(text), to: STDERR_FILENO) }

    /// Replaces control characters except line feeds and tabs. Callers remove line feeds from untrusted text.
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

    /// Escapes in JSON the characters that `shown` would replace, so that programs get them unchanged.
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

    /// Write errors are ignored, because they cannot be reported.
    private static func write(_ text: String, to descriptor: Int32) {
        guard let file = try? OpenFile(duplicating: descriptor) else { return }
        try? file.write(Array(text.utf8))
    }
}
