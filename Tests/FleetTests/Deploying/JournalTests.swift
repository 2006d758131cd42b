import Foundation
import TestSupport
import Testing

@testable import Fleet

@Suite struct JournalTests {
    private let scratch: Scratch
    private let events = [
        DeployEvent(.locking, at: 1), DeployEvent(.beginning, at: 2, node: "tokyo"),
        DeployEvent(.rolledBack, at: 3, node: "tokyo", text: "line\nbreak \"quoted\""),
    ]

    init() throws { scratch = try Scratch() }

    @Test func whatWasWrittenIsRead() throws {
        let journal = try JournalFile(scratch.file("d1.jsonl"))
        for event in events { try journal.append(event) }
        #expect(try JournalFile.read(journal.path) == events)
        let lines = String(decoding: try scratch.read("d1.jsonl"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3, "a line each")
    }

    @Test func aLineThatACrashCutOffIsNone() throws {
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

    @Test func goingOnLeavesNoHalfLineBehind() throws {
        let path = scratch.file("d1.jsonl")
        try scratch.write(Array("{\"kind\":\"locking\",\"at\":1}\n{\"kind\":\"beg".utf8), to: "d1.jsonl")
        let before = try JournalFile.read(path)
        let journal = try JournalFile(path, after: before)
        try journal.append(events[1])
        #expect(try JournalFile.read(path) == [events[0], events[1]])
    }

    @Test func theLatestIsTheOneThatBeganLast() throws {
        #expect(try JournalFile.latest(in: scratch.file("none")) == nil)
        for name in ["20261121T080000Z-ffff.jsonl", "20261121T090000Z-0000.jsonl", "lock", "20271121.jsonl.new"] {
            try scratch.write([], to: name)
        }
        #expect(try JournalFile.latest(in: scratch.path) == scratch.file("20261121T090000Z-0000.jsonl"))
    }
}
