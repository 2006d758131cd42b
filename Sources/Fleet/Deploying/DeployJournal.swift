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

    /// A deploy that came to no end.
    package struct Open: Equatable, Sendable {
        package var path: String
        package var events: [DeployEvent]
    }

    /// The last deploy in a directory that came to no end; nil when all did. One that was refused stands behind an open
    /// one, and has ended.
    package static func latestOpen(in directory: String) throws -> Open? {
        // Ids begin with the time.
        for name in try Directory.names(in: directory).filter({ $0.hasSuffix(".jsonl") }).sorted(by: >) {
            // One of another version of this program is no reason not to find the one that is meant.
            guard let events = try? read("\(directory)/\(name)") else { continue }
            let open = Open(path: "\(directory)/\(name)", events: events)
            let progress = DeployProgress(open.events)
            if progress.plan != nil, !progress.isEnded { return open }
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
