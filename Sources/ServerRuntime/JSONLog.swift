import FoundationEssentials
import Glibc
package import Logging
import Synchronization

/// Logs one JSON object per line to standard error, with the time in Unix seconds.
package struct JSONLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(logLevel: Logger.Level) { self.logLevel = logLevel }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    private struct Line: Encodable {
        var time: Double
        var level: String
        var message: String
        var data: [String: String]
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let line = Line(
            time: (Date().timeIntervalSince1970 * 1_000).rounded(.down) / 1_000, level: event.level.rawValue,
            message: event.message.description,
            data: Dictionary(all.map { (Self.name($0.key), $0.value.description) }) { first, _ in first })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var bytes = try? Array(encoder.encode(line)) else { return }
        bytes.append(UInt8(ascii: "\n"))
        // One write per line, so that lines do not interleave.
        _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
    }

    private static func name(_ key: String) -> String { key == "hb.request.id" ? "request" : key }
}
