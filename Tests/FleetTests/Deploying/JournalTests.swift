import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct JournalTests {
    private let scratch: Scratch
    private let events = [
        DeployEvent(.locking, at: 1), DeployEvent(.activating, at: 2, node: "tokyo"),
        DeployEvent(.rolledBack, at: 3, node: "tokyo", text: "line\nbreak \"quoted\""),
    ]

    init() throws { scratch = try Scratch() }

    @Test func writtenEventsAreRead() throws {
        let journal = try JournalFile(scratch.file("d1.jsonl"))
        for event in events { try journal.append(event) }
        #expect(try JournalFile.read(journal.path) == events)
        let lines = String(decoding: try scratch.read("d1.jsonl"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3, "one line for each event")
    }

    @Test func aTruncatedLineIsIgnored() throws {
        let path = scratch.file("d1.jsonl")
        let journal = try JournalFile(path)
        for event in events { try journal.append(event) }
        let whole = try scratch.read("d1.jsonl")
        let lines = whole.enumerated().filter { $0.element == 10 }.map(\.offset)
        for length in 0..<whole.count {
            try scratch.write(Array(whole.prefix(length)), to: "d1.jsonl")
            let complete = lines.count { $0 < length }
            #expect(try JournalFile.read(path) == Array(events.prefix(complete)))
        }
    }

    @Test func resumingRemovesATruncatedLine() throws {
        let path = scratch.file("d1.jsonl")
        try scratch.write(Array("{\"kind\":\"locking\",\"at\":1}\n{\"kind\":\"beg".utf8), to: "d1.jsonl")
        let before = try JournalFile.read(path)
        let journal = try JournalFile(path, after: before)
        try journal.append(events[1])
        #expect(try JournalFile.read(path) == [events[0], events[1]])
    }

    @Test func theLastUnfinishedDeployIsResumed() throws {
        #expect(try JournalFile.latestUnfinished(in: scratch.file("none")) == nil)
        let plan = try DeployPlan(id: "d", [], Release(systems: [:]), DeployOptions())
        let (planned, ended) = (DeployEvent(.planned, plan: plan), DeployEvent(.ended, result: .failed))
        let journals = [
            ("20261121T070000Z-0000", [planned]), ("20261121T080000Z-ffff", [planned, DeployEvent(.locking)]),
            // Rejected because of the previous deploy's lock.
            ("20261121T090000Z-0000", [planned, DeployEvent(.locking), ended]), ("20261121T100000Z-0000", []),
        ]
        for (name, events) in journals { _ = try JournalFile(scratch.file("\(name).jsonl"), after: events) }
        for name in ["lock", "20271121.jsonl.new"] { try scratch.write([], to: name) }
        let open = try #require(try JournalFile.latestUnfinished(in: scratch.path))
        #expect(open.path == scratch.file("20261121T080000Z-ffff.jsonl"))
        #expect(open.events.map(\.kind) == [.planned, .locking])
    }
}
