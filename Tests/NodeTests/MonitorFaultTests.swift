import Foundation
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// Faults around a monitor, with the real program.
@Suite(.timeLimit(.minutes(15))) struct MonitorFaultTests {
    /// The monitor's files cannot grow, then they can again. No node becomes silent, and nothing is notified.
    @Test func aFullDiskSilencesNoNodeAndRecovers() async throws {
        // 512-byte blocks: the database fits and its log does not grow far.
        let monitor = try await ServedMonitor(hurry: 1, fileBlocks: 1_000)
        let urls = try monitor.addNodes((0..<4).map { "node-\($0)" })
        _ = try await monitor.sees { $0.nodes.count == 4 }
        func pushAll() async throws -> [Int] {
            var statuses: [Int] = []
            for url in urls { statuses.append(try await monitor.send(.GET, url).status) }
            // More than five a second would be refused for that.
            try await Task.sleep(for: .milliseconds(250))
            return statuses
        }
        var isFull = false
        for _ in 0..<400 where !isFull { isFull = try await pushAll().contains(503) }
        try #require(isFull, "the files never grew too large")
        let fullFrom = ContinuousClock.now
        // SEV2 would be due after 65 seconds, which is also longer than a busy machine keeps these pushes waiting.
        var answers: Set<Int> = []
        while ContinuousClock.now - fullFrom < .seconds(75) { answers.formUnion(try await pushAll()) }
        let during = try await monitor.fleet()
        #expect(answers.contains(503) && answers.isSubset(of: [200, 503]), "\(answers)")
        // Late is shown and told to nobody: on a busy machine a round of pushes may take seconds.
        #expect(during.nodes.allSatisfy { ["up", "late"].contains($0.state) })
        #expect(during.incidents.map(\.key) == [])
        try monitor.liftFileLimit()
        var isWell = false
        for _ in 0..<100 where !isWell { isWell = try await pushAll().allSatisfy { $0 == 200 } }
        #expect(isWell, "\(monitor.log.suffix(2_000))")
        #expect(!monitor.log.contains("/silent"))
    }

    @Test func aThousandWrongTokensAffectNobodyElse() async throws {
        let monitor = try await ServedMonitor(hurry: 1)
        let url = try monitor.addNodes(["tokyo"])[0]
        _ = try await monitor.sees { $0.nodes.count == 1 }
        let unauthenticated = Visitor(monitor)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    try await unauthenticated.get("/api/push/\(String(repeating: "x", count: 30))\(number)?status=down")
                }
            }
            var honest: [Int] = []
            for _ in 0..<5 { honest.append(try await monitor.send(.GET, url).status) }
            #expect(honest == [200, 200, 200, 200, 200])
            return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        let metrics = try await monitor.get("/metrics").body
        #expect(statuses == [404: 1_000])
        #expect(metrics.contains(#"clavitor_monitor_pushes_refused_total{reason="unknown token"} 1000"#))
        let isUp = try await monitor.sees { $0.nodes.first?.state == "up" && $0.incidents.isEmpty }
        #expect(isUp)
    }

    /// The endpoint takes a second per response and fails three times. The notification is retried with the same key until it is
    /// accepted; pushes get responses meanwhile.
    @Test func aSlowAndFailingEndpointIsEventuallyNotified() async throws {
        let hook = try Hook(refusals: 3, seconds: 1)
        let monitor = try await hook.monitor()
        let url = try monitor.addNodes(["tokyo"])[0]
        _ = try await monitor.sees { $0.nodes.count == 1 }
        try await eventually("the endpoint accepts a notification", every: .milliseconds(250)) {
            let answer = try await monitor.send(.GET, url + "?status=down&msg=no")
            #expect(answer.status == 200)
            return hook.calls.contains { $0.status == 204 }
        }
        let calls = hook.calls
        #expect(calls.prefix(4).map(\.status) == [500, 500, 500, 204])
        // On a machine that stands still something else may come true meanwhile, and is told with it: under another key.
        #expect(Set(calls.prefix(4).map(\.key)).count == Set(calls.prefix(4).map(\.digest)).count)
        #expect(calls.first?.title.contains("tokyo reports that it is down") == true)
    }

    /// With the request that the page's button sends.
    @Test func aChannelIsTestedWhileTheMonitorServes() async throws {
        let hook = try Hook(refusals: 1, seconds: 0)
        let monitor = try await hook.monitor()
        func test(_ name: String) async throws -> ServedMonitor.Answer {
            try await monitor.send(
                .POST, "/api/v1/channels/\(name)/test", headers: ["Authorization": "Bearer \(monitor.token)"])
        }
        let refused = try await test("hook")
        #expect(refused.status == 200)
        #expect(refused.body.contains(#""line":"hook""#) && refused.body.contains("answered 500"))
        #expect(try await test("hook").status == 429, "one test each ten seconds")
        #expect(try await test("nobody").status == 404)
        var accepted = try await test("hook")
        try await eventually("the limit permits another test", every: .milliseconds(200)) {
            accepted = try await test("hook")
            return accepted.status != 429
        }
        #expect(accepted.body == #"{"outcomes":[{"line":"hook"}]}"#)
        #expect(hook.calls.map(\.status) == [500, 204, 204])
        let channels = try await monitor.get("/api/v1/channels").body
        #expect(channels.contains(#""name":"hook""#) && channels.contains(#""failing":0"#))
    }

    @Test func aRemovedNodeAndItsTokenAreGone() async throws {
        let monitor = try await ServedMonitor()
        let url = try monitor.addNodes(["tokyo"])[0]
        _ = try await monitor.sees { $0.nodes.count == 1 }
        _ = try await monitor.send(.GET, url + "?status=down&msg=no")
        let isOpen = try await monitor.sees { !$0.incidents.isEmpty }
        let removed = try Program(name: "clavitor-monitor").run(["node", "remove", "tokyo", "--data", monitor.data])
        let isGone = try await monitor.sees { $0.nodes.isEmpty && $0.incidents.isEmpty }
        #expect(isOpen && removed.status == 0 && isGone)
        #expect(try await monitor.send(.GET, url).status == 404)
    }
}

/// A slow HTTP endpoint as a process that fails some requests.
private final class Hook {
    let scratch: Scratch
    private(set) var port = 0
    private let process: RunningTool

    struct Call {
        var status: Int
        var key: String
        /// The complete body.
        var digest: String
        var title: String
    }

    private static let program = """
        import hashlib, http.server, json, sys, time
        left, pause = int(sys.argv[1]), float(sys.argv[2])
        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                global left
                raw = self.rfile.read(int(self.headers["content-length"]))
                body, digest = json.loads(raw), hashlib.sha256(raw).hexdigest()
                time.sleep(pause)
                status, left = (500, left - 1) if left > 0 else (204, 0)
                print(status, self.headers["Idempotency-Key"], digest, body["title"], flush=True)
                self.send_response(status)
                self.end_headers()
            def log_message(self, *_): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
        print("port", server.server_port, flush=True)
        server.serve_forever()
        """

    init(refusals: Int, seconds: Double) throws {
        scratch = try Scratch()
        process = try RunningTool("/usr/bin/python3", ["-c", Self.program, "\(refusals)", "\(seconds)"])
        try process.wait { $0.output.hasSuffix("\n") }
        port = lines.first.flatMap { Int($0.dropFirst(5)) } ?? 0
    }

    deinit {
        process.kill()
        scratch.remove()
    }

    /// A route that notifies it of everything.
    func monitor() async throws -> ServedMonitor {
        let file = try scratch.write("http://127.0.0.1:\(port)/", to: "hook.url")
        return try await ServedMonitor(
            configuration: """
                [[channel]]
                name = "hook"
                type = "webhook"
                url-file = "\(file)"
                """)
    }

    private var lines: [Substring] {
        process.output.split(whereSeparator: \.isNewline)
    }

    var calls: [Call] {
        lines.dropFirst().map { line in
            let words = line.split(separator: " ", maxSplits: 3)
            return Call(
                status: Int(words[0]) ?? 0, key: String(words[1]), digest: String(words[2]), title: String(words[3]))
        }
    }
}
