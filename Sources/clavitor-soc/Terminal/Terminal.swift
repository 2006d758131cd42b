import Files
import FoundationEssentials
import Glibc

/// Results go to standard output, what is only said along the way to standard error.
enum Terminal {
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Over what stands in the line.
    static func replaceLine(_ text: String) { write("\r\u{1b}[K" + text, to: STDERR_FILENO) }

    /// - Returns: The code.
    static func fail(_ text: String, code: Int32) -> Int32 {
        note("clavitor-soc: \(text)")
        return code
    }

    static func json(_ value: some Encodable, pretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Nobody can be told of output that nobody reads.
    private static func write(_ text: String, to descriptor: Int32) {
        guard let file = try? OpenFile(duplicating: descriptor) else { return }
        try? file.write(Array(text.utf8))
    }
}
