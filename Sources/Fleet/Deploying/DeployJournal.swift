import Files
import FoundationEssentials
import Synchronization

/// Where a deploy writes what it is about to do before it does it. `JournalFile` is one, tests have others.
package protocol DeployJournal: Sendable {
    func append(_ event: DeployEvent) throws
}

/// A file of a line of JSON per event, each on the disk before the step that it announces.
package final class JournalFile: DeployJournal {
    package let path: String
    private let file: Mutex<OpenFile>

    private static let most = 64 << 20

    /// Begins a journal, or goes on with one.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - events: What it has so far. It is written anew, because a crash may have left half a line at its end.
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

    /// What a journal has; a line that a crash cut off is none.
    package static func read(_ path: String) throws -> [DeployEvent] {
        let text = try File.read(path, most: most)
        var events: [DeployEvent] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            events.append(try JSONDecoder().decode(DeployEvent.self, from: Data(line.utf8)))
        }
        return events
    }

    /// The journal of the last deploy in a directory; nil when there is none.
    package static func latest(in directory: String) throws -> String? {
        // Ids begin with the time.
        try Directory.names(in: directory).filter { $0.hasSuffix(".jsonl") }.max().map { "\(directory)/\($0)" }
    }

    package static func text(_ event: DeployEvent) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(event), as: UTF8.self)
    }

    private static func line(_ event: DeployEvent) throws -> [UInt8] { Array((try text(event) + "\n").utf8) }
}
