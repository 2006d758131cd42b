import Files
import FoundationEssentials
import Synchronization

/// A write-ahead journal for the events of a deploy.
package protocol DeployJournal: Sendable {
    func append(_ event: DeployEvent) throws
}

/// A journal file with one line of JSON per event, each durable before the step that it announces.
package final class JournalFile: DeployJournal {
    package let path: String
    private let file: Mutex<OpenFile>

    private static let maximumBytes = 64 << 20

    /// Creates a journal, or continues one.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - events: Its events so far. The file is rewritten, because a crash may have left a partial line at its end.
    /// - Throws: `SystemCallError`.
    package init(_ path: String, after events: [DeployEvent] = []) throws {
        self.path = path
        let new = "\(path).new"
        File.remove(new)
        let file = try OpenFile(creating: new)
        for event in events { try file.write(Self.line(event)) }
        try file.synchronize()
        try File.move(new, to: path)
        self.file = Mutex(file)
    }

    package func append(_ event: DeployEvent) throws {
        let line = try Self.line(event)
        try file.withLock { file in
            try file.write(line)
            try file.synchronize()
        }
    }

    /// Reads the events; a truncated last line is ignored.
    package static func read(_ path: String) throws -> [DeployEvent] {
        let text = try File.read(path, most: maximumBytes)
        var events: [DeployEvent] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            events.append(try JSONDecoder().decode(DeployEvent.self, from: Data(line.utf8)))
        }
        return events
    }

    /// An unfinished deploy.
    package struct Unfinished: Equatable, Sendable {
        package var path: String
        package var events: [DeployEvent]
    }

    /// The latest unfinished deploy in a directory; nil if there is none. Skips later deploys that have ended, such as
    /// refused ones.
    package static func latestUnfinished(in directory: String) throws -> Unfinished? {
        // Ids begin with the time.
        for name in try Directory.names(in: directory).filter({ $0.hasSuffix(".jsonl") }).sorted(by: >) {
            // Unreadable journals, such as those of another version of this program, are skipped.
            guard let events = try? read("\(directory)/\(name)") else { continue }
            let progress = DeployProgress(events)
            if progress.plan != nil, !progress.isEnded {
                return Unfinished(path: "\(directory)/\(name)", events: events)
            }
        }
        return nil
    }

    package static func text(_ event: DeployEvent) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(event), as: UTF8.self)
    }

    private static func line(_ event: DeployEvent) throws -> [UInt8] { Array((try text(event) + "\n").utf8) }
}
