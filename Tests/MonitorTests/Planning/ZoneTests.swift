import Foundation
import Monitor
import TestSupport
import Testing

/// Time zones of the system's tz database.
@Suite(.timeLimit(.minutes(3))) struct ZoneTests {
    static let folder = "/usr/share/zoneinfo"
    let zones = TimeZoneDatabase(directories: [Self.folder])

    /// Python reads the same files.
    @Test func agreesWithPythonAboutEveryZone() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "zones.py")
        let python = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "/usr/bin/python3",
            [script.path(), Self.folder])
        var rules: [Substring: TimeZoneRules] = [:]
        var counts: [Substring: Int] = [:]
        for line in python.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            let (given, expected) = (try #require(Int64(words[2])), try #require(Int64(words[3])))
            let zone = try rules[words[1]] ?? zones.rules(of: String(words[1]))
            rules[words[1]] = zone
            let found = words[0] == "at" ? zone.offset(at: given) : zone.time(ofLocal: given)
            if found != expected { Issue.record("\(line): \(found)") }
            counts[words[0], default: 0] += 1
        }
        #expect(rules.count > 400 && counts["at", default: 0] > 20_000 && counts["local", default: 0] > 300)
    }

    @Test(arguments: ["Europe/Berlin", "America/Santiago", "Asia/Tokyo"])
    func everyTruncationIsReadWithoutCrashing(_ name: String) throws {
        let file = try [UInt8](Data(contentsOf: URL(filePath: "\(Self.folder)/\(name)")))
        for count in 0..<file.count {
            #expect(throws: TimeZoneRules.Unreadable.self) { try TimeZoneRules(file: Array(file.prefix(count))) }
        }
        for position in file.indices {
            for value in [0, 0x7f, 0xff] as [UInt8] {
                var changed = file
                changed[position] = value
                guard let rules = try? TimeZoneRules(file: changed) else { continue }
                for time in [Int64.min / 4, -1, 0, 1_800_000_000, Int64.max / 4] { _ = rules.offset(at: time) }
            }
        }
    }

    @Test(arguments: [
        "", "Europe/Berlim", "../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "Europe", "posixrules\0",
        "Europe/Berlin/", "zone.tab", String(repeating: "a", count: 70),
    ])
    func anInvalidZoneIsRejected(_ name: String) {
        #expect(throws: UnknownTimeZone.self) { try zones.rules(of: name) }
    }

    @Test func withoutADatabaseOnlyUTCIsKnown() throws {
        let none = TimeZoneDatabase(directories: ["/nowhere"])
        #expect(try none.rules(of: "UTC").offset(at: 0) == 0)
        #expect(throws: UnknownTimeZone.self) { try none.rules(of: "Europe/Berlin") }
    }
}
