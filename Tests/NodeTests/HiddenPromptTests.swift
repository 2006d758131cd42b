import Foundation
import TestSupport
import Testing

/// Secrets typed and pasted on a real terminal, in a shell that would run any remaining input.
@Suite(.timeLimit(.minutes(5))) struct HiddenPromptTests {
    private struct Scenario: Decodable, Equatable {
        var status: Int32
        var hidden = true
        var shown = true
        var value: String?
        var leaked = false
        var left: [String] = []
    }

    private struct Report: Decodable {
        let scenarios: [String: Scenario]
        let key: String
        let long: String
    }

    @Test func hiddenInputIsCompleteOrRejected() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let (me, _) = try node.registered(scratch)
        let script = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "/usr/bin/python3",
            [Project.folder.appending(path: "Tests/Terminal/hidden_prompt.py").path, me.url.path],
            in: scratch.path, environment: me.environment.merging(["PATH": "/usr/bin:/bin"]) { ours, _ in ours })
        try #require(script.status == 0, "\(script.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(script.output.utf8))
        let expected: [String: Scenario] = [
            "line": .init(status: 0, value: "hunter2"),
            "edited": .init(status: 0, value: "hunter3"),
            "unmarked": .init(status: 0, value: report.key),
            "marked": .init(status: 0, value: report.key),
            "marked-line": .init(status: 0, value: "hunter2"),
            "controls": .init(status: 0, value: "hunter\u{3}\u{1a}\u{4}\u{1b}[A\t"),
            "long": .init(status: 0, value: report.long),
            "stopped": .init(status: 0, value: "hunter4"),
            "stopped-from-outside": .init(status: 0, value: "hunter5"),
            "empty": .init(status: 2),
            "not-text": .init(status: 2),
            "nothing": .init(status: 1),
            "interrupted": .init(status: 130),
            "too-long": .init(status: 2),
        ]
        #expect(Set(report.scenarios.keys) == Set(expected.keys))
        for (name, scenario) in expected { #expect(report.scenarios[name] == scenario, "\(name)") }
    }
}
