import Foundation
import Logging
import NIOHTTP1
import ServiceLifecycle
import Telemetry
import Testing
import Wire

/// The real network: TLS, and monitors that do what they should not.
@Suite(.timeLimit(.minutes(3))) struct PushClientTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// One push, broken off after a while.
    private func push(
        to url: String, trust: String?, body: String = "{}", patience: Duration = .seconds(30)
    ) async throws -> Result<PushReply, PushError>? {
        let target = try PushTarget(file: folder.write(url, to: UUID().uuidString), trust: trust)
        let client = PushClient()
        let request = PushRequest(
            target: target, query: PushQuery(status: .up, message: "OK", ping: nil), body: Array(body.utf8))
        let result = await withTaskGroup(of: Result<PushReply, PushError>?.self) { group in
            group.addTask {
                do throws(PushError) {
                    return .success(try await client.send(request))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        try await client.shutdown()
        return result
    }

    private func reason(_ result: Result<PushReply, PushError>?) -> String {
        guard case .failure(let error)? = result else { return "none: \(String(describing: result))" }
        #expect(!"\(error) \(String(reflecting: error))".contains("tok3n"))
        return "\(error)"
    }

    @Test func aBeatArrivesAsJSONByPOST() async throws {
        try await MonitorServer.with(
            .answer(.ok, headers: ["Date": "Tue, 14 Nov 2023 22:13:19 GMT"]), in: folder
        ) { server in
            let result = try await push(
                to: server.url + "?status=up&msg=OK&ping=", trust: server.certificate, body: "{\"a\":1}")
            let date = "Tue, 14 Nov 2023 22:13:19 GMT"
            #expect(
                result
                    == .success(PushReply(status: 200, date: date, body: Array(#"{"ok":true}"#.utf8))))
            let request = try #require(server.book.requests.first)
            #expect(request.head.method == .POST)
            #expect(request.head.uri == "/api/push/tok3n?status=up&msg=OK&ping=")
            #expect(request.head.headers["content-type"] == ["application/json"])
            #expect(request.head.headers["content-length"] == ["7"])
            #expect(request.body == #"{"a":1}"#)
        }
    }

    @Test func aCertificateThatNobodyVouchesForIsRefused() async throws {
        try await MonitorServer.with(.answer(.ok), in: folder) { server in
            let result = try await push(to: server.url, trust: nil)
            #expect(reason(result).contains("its certificate is not trusted"))
            #expect(server.book.requests.isEmpty)
        }
    }

    @Test func aCertificateOfAnotherIsRefused() async throws {
        try await MonitorServer.with(.answer(.ok), in: folder) { other in
            try await MonitorServer.with(.answer(.ok), in: folder) { server in
                let result = try await push(to: server.url, trust: other.certificate)
                #expect(reason(result).contains("its certificate is not trusted"))
                #expect(server.book.requests.isEmpty)
            }
        }
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        try await MonitorServer.with(.answer(.ok), name: "other.example", in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate)
            #expect(reason(result).contains("cannot be reached"))
            #expect(server.book.requests.isEmpty)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await MonitorServer.with(.answer(.ok), in: folder) { elsewhere in
            try await MonitorServer.with(
                .answer(.temporaryRedirect, headers: ["Location": elsewhere.url]), in: folder
            ) { server in
                let result = try await push(to: server.url, trust: server.certificate)
                let reply = try result?.get()
                #expect(reply?.status == 307)
                #expect(elsewhere.book.connections == 0)
            }
        }
    }

    @Test func fourKilobytesOfAnAnswerAreRead() async throws {
        try await MonitorServer.with(.flood, in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate)
            let reply = try result?.get()
            #expect(reply?.body.count == 4096)
        }
    }

    @Test(arguments: [MonitorServer.Conduct.silence, .halfAnAnswer])
    func aMonitorThatHangsIsBrokenOff(_ conduct: MonitorServer.Conduct) async throws {
        try await MonitorServer.with(conduct, in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate, patience: .milliseconds(800))
            #expect(result == nil)
        }
    }

    @Test func nobodyThereIsSaidPlainly() async throws {
        let url = try await MonitorServer.with(.silence, in: folder) { $0.url }
        for url in [url, "https://name.invalid/tok3n"] {
            let result = try await push(to: url, trust: nil)
            #expect(reason(result).contains("cannot be reached"))
        }
    }

    // MARK: The whole

    /// Runs a real pusher, faster than in life, until `isDone`, then stops it.
    private func run(
        to targets: [PushTarget], log: RecordedLog, patience: Duration, until isDone: () -> Bool
    ) async throws {
        let client = PushClient()
        let machine = try Fixtures.machine(in: folder)
        let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
        let sampler = Sampler(node: "tokyo", machine: machine, now: now, logger: log.logger) {
            NodeFacts(version: "1")
        }
        var settings = HeartbeatPusher<ContinuousClock>.Settings()
        (settings.interval, settings.patience, settings.farewell) = (.milliseconds(300), patience, .seconds(5))
        let pusher = HeartbeatPusher(
            to: targets, sampler: sampler, settings: settings, clock: ContinuousClock(), now: now, logger: log.logger,
            send: { request async throws(PushError) in try await client.send(request) })
        let group = ServiceGroup(services: [pusher], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for _ in 0..<1200 where !isDone() { try await Task.sleep(for: .milliseconds(25)) }
            #expect(isDone())
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await client.shutdown()
    }

    @Test func aMonitorGetsBeatsOverAKeptConnectionAndAGoodbye() async throws {
        try await MonitorServer.with(.answer(.ok, body: #"{"ok":true,"time_ms":1}"#), in: folder) { server in
            let target = try PushTarget(file: folder.write(server.url, to: "url"), trust: server.certificate)
            try await run(to: [target], log: RecordedLog(), patience: .seconds(10)) { server.book.requests.count >= 4 }
            let beats = try server.book.requests.map {
                try JSONDecoder().decode(Heartbeat.self, from: Data($0.body.utf8))
            }
            let numbers = beats.compactMap(\.seq)
            // A busy machine may drop one; none comes twice or late.
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            #expect(server.book.connections < beats.count)
            #expect(beats.dropLast().allSatisfy { $0.phase == .running })
            #expect(beats.last?.phase == .stopping)
            #expect(beats.last?.clockOffsetMS ?? 0 > 1_600_000_000_000)
            #expect(server.book.requests.last?.head.uri.contains("status=down&msg=stopping") == true)
        }
    }

    @Test func theTokenIsInNoLogLineWhateverGoesWrong() async throws {
        let log = RecordedLog()
        try await MonitorServer.with(.echo(.notFound), in: folder) { echoing in
            try await MonitorServer.with(.echo(.temporaryRedirect), in: folder) { redirecting in
                try await MonitorServer.with(.silence, in: folder) { silent in
                    let closed = try await MonitorServer.with(.silence, in: folder) { $0.url }
                    let targets = try [
                        (echoing.url, echoing.certificate), (redirecting.url, redirecting.certificate),
                        (silent.url, silent.certificate), (echoing.url, silent.certificate), (closed, nil),
                        ("https://tok3n.invalid/tok3n", nil),
                    ].map { try PushTarget(file: folder.write($0, to: UUID().uuidString), trust: $1) }
                    try await run(to: targets, log: log, patience: .seconds(1)) {
                        [
                            "answered 404", "redirects are not followed", "did not answer in time",
                            "its certificate is not trusted", "Connection refused",
                        ].allSatisfy(log.text.contains)
                    }
                }
            }
        }
        // The host is no secret: there the word may stand, and only there.
        #expect(!log.text.replacing("https://tok3n.invalid:443", with: "").contains("tok3n"))
        #expect(log.all.allSatisfy { $0.message == "heartbeat not delivered" })
    }
}
