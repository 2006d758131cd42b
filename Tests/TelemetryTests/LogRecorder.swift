import Logging
import Synchronization

/// Records log lines for tests.
final class LogRecorder: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let list = Mutex<[Line]>([])

    /// Lines at info level or above.
    var lines: [Line] { all.filter { $0.level > .debug } }

    /// Lines including debug level.
    var all: [Line] { list.withLock { $0 } }

    /// All lines as text.
    var text: String { all.map { "\($0.level) \($0.message) \($0.metadata)" }.joined(separator: "\n") }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: LogRecorder
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let data = (event.metadata ?? [:]).mapValues(\.description)
            let line = Line(level: event.level, message: event.message.description, metadata: data)
            log.list.withLock { $0.append(line) }
        }
    }
}
