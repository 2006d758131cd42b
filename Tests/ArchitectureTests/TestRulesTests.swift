import Testing

/// Rules for the tests' own sources.
@Suite struct TestRulesTests {
    /// The files outside of TestSupport, except this one.
    private static var files: [SourceTree.File] {
        get throws {
            try SourceTree.files(in: "Tests").filter {
                !$0.name.hasPrefix("Tests/TestSupport/") && !$0.name.hasSuffix("/TestRulesTests.swift")
            }
        }
    }

    @Test func programsAreStartedByTestSupport() throws {
        for file in try Self.files {
            let found = file.text.firstMatch(of: /\bProcess(?:\(|\.run\()|\bposix_spawn/).map { String($0.0) }
            #expect(
                found == nil,
                "\(file.name): Tool runs a program to its end, RunningTool beside the test; both are always waited for")
        }
    }

    @Test func temporaryFilesAreInScratchDirectories() throws {
        for file in try Self.files where file.name != "Tests/TelemetryTests/SamplerTests.swift" {
            let found = file.text.firstMatch(of: /NSTemporaryDirectory|temporaryDirectory/).map { String($0.0) }
            #expect(found == nil, "\(file.name): Scratch is removed also when the tests are killed")
        }
    }

    @Test func testsWaitForConditions() throws {
        // Files whose fixed waits are no waits for a condition, and what they are.
        let exceptions = [
            "Tests/FleetTests/DNS/DNSCommandTests.swift": "nothing is changed meanwhile",
            "Tests/MonitorTests/Notifying/DeliveryTests.swift": "the clock advances when no attempt is in flight",
            "Tests/NodeTests/ACMETests.swift": "a node is killed at various moments of an order",
            "Tests/NodeTests/DashboardTests.swift": "the interval of heartbeats",
            "Tests/NodeTests/MonitorFaultTests.swift": "pushes stay below their rate limit",
            "Tests/SQLiteTests/WriterTests.swift": "a slow disk, and writes that arrive one after another",
            "Tests/TelemetryTests/PushClientTests.swift": "the timeout of a push",
            "Tests/TelemetryTests/PusherTests.swift": "nothing is pushed meanwhile",
        ]
        let sleeping = try Self.files.filter { $0.text.contains(/\b(?:Task|Thread)\.sleep\b|\b(?:u|nano)sleep\(/) }
        for name in Set(sleeping.map(\.name)).subtracting(exceptions.keys) {
            Issue.record("\(name) sleeps; eventually waits for a condition")
        }
        for (name, reason) in exceptions where !sleeping.contains(where: { $0.name == name }) {
            Issue.record("\(name) no longer sleeps (\(reason)); remove the exception")
        }
    }

    @Test func modulesAreTestedThroughTheirInterface() throws {
        // An executable has no importers, so its declarations have no reason to be `package`.
        let programs: Set<Substring> = ["clavitor", "clavitor_monitor", "clavitor_node", "clavitor_soc"]
        for file in try SourceTree.files(in: "Tests") {
            for line in file.text.matches(of: /@testable import (\w+)/) where !programs.contains(line.1) {
                Issue.record("\(file.name) sees the inside of \(line.1); @testable is for programs only")
            }
        }
    }
}
