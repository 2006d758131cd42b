import Foundation
import Logging
import NIOHTTP1
import ServiceLifecycle
import Telemetry
import TestSupport
import Testing
import Wire

/// The real network: TLS, and misbehaving monitors.
@Suite(.timeLimit(.minutes(3))) struct PushClientTests {
    let folder: Scratch

    init() throws { folder = try Scratch() }

    /// Sends one push, and cancels it after a timeout.
    private func push(
        to url: String, trust: String?, body: String = "{}", timeout: Duration = .seconds(30)
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
                try? await Task.sleep(for: timeout)
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

    @Test func aHeartbeatIsSentAsJSONByPOST() async throws {
        try await FakeMonitorServer.with(
            .answer(.ok, headers: ["Date": "Tue, 14 Nov 2023 22:13:19 GMT"]), in: folder
        ) { server in
            let result = try await push(
                to: server.url + "?status=up&msg=OK&ping=", trust: server.certificate, body: "{\"a\":1}")
            let date = "Tue, 14 Nov 2023 22:13:19 GMT"
            #expect(
                result
                    == .success(PushReply(status: 200, date: date, body: Array(#"{"ok":true}"#.utf8))))
            let request = try #require(server.requestLog.requests.first)
            #expect(request.head.method == .POST)
            #expect(request.head.uri == "/api/push/tok3n?status=up&msg=OK&ping=")
            #expect(request.head.headers["content-type"] == ["application/json"])
            #expect(request.head.headers["content-length"] == ["7"])
            #expect(request.body == #"{"a":1}"#)
        }
    }

    @Test func anUntrustedCertificateIsRejected() async throws {
        try await FakeMonitorServer.with(.answer(.ok), in: folder) { server in
            let result = try await push(to: server.url, trust: nil)
            #expect(reason(result).contains("its certificate is not trusted"))
            #expect(server.requestLog.requests.isEmpty)
        }
    }

    @Test func anotherServersCertificateIsRejected() async throws {
        try await FakeMonitorServer.with(.answer(.ok), in: folder) { other in
            try await FakeMonitorServer.with(.answer(.ok), in: folder) { server in
                let result = try await push(to: server.url, trust: other.certificate)
                #expect(reason(result).contains("its certificate is not trusted"))
                #expect(server.requestLog.requests.isEmpty)
            }
        }
    }

    @Test func aCertificateForAnotherNameIsRejected() async throws {
        try await FakeMonitorServer.with(.answer(.ok), name: "other.example", in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate)
            #expect(reason(result).contains("cannot be reached"))
            #expect(server.requestLog.requests.isEmpty)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await FakeMonitorServer.with(.answer(.ok), in: folder) { elsewhere in
            try await FakeMonitorServer.with(
                .answer(.temporaryRedirect, headers: ["Location": elsewhere.url]), in: folder
            ) { server in
                let result = try await push(to: server.url, trust: server.certificate)
                let reply = try result?.get()
                #expect(reply?.status == 307)
                #expect(elsewhere.requestLog.connections == 0)
            }
        }
    }

    @Test func fourKilobytesOfAResponseAreRead() async throws {
        try await FakeMonitorServer.with(.flood, in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate)
            let reply = try result?.get()
            #expect(reply?.body.count == 4096)
        }
    }

    @Test(arguments: [FakeMonitorServer.Behavior.silence, .halfAnAnswer])
    func aHangingMonitorIsCancelled(_ behavior: FakeMonitorServer.Behavior) async throws {
        try await FakeMonitorServer.with(behavior, in: folder) { server in
            let result = try await push(to: server.url, trust: server.certificate, timeout: .milliseconds(800))
            #expect(result == nil)
        }
    }

    @Test func anUnreachableMonitorIsReported() async throws {
        let url = try await FakeMonitorServer.with(.silence, in: folder) { $0.url }
        for url in [url, "https://name.invalid/tok3n"] {
            let result = try await push(to: url, trust: nil)
            #expect(reason(result).contains("cannot be reached"))
        }
    }

    // MARK: End to end

    /// Runs a real pusher at a high rate until `isDone`, then stops it.
    private func run(
        to targets: [PushTarget], log: LogRecorder, timeout: Duration, until isDone: () -> Bool
    ) async throws {
        let client = PushClient()
        let machine = try Fixtures.machine(in: folder)
        let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
        let sampler = Sampler(node: "tokyo", machine: machine, now: now, logger: log.logger) {
            NodeFacts(version: "1")
        }
        var settings = HeartbeatPusher<ContinuousClock>.Settings()
        (settings.interval, settings.timeout, settings.finalBeatTimeout) = (.milliseconds(300), timeout, .seconds(5))
        let pusher = HeartbeatPusher(
            to: targets, sampler: sampler, settings: settings, clock: ContinuousClock(), now: now, logger: log.logger,
            send: { request async throws(PushError) in try await client.send(request) })
        let group = ServiceGroup(services: [pusher], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the pushes that the test needs") { isDone() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await client.shutdown()
    }

    @Test func aMonitorGetsHeartbeatsOverOneConnectionAndALastOne() async throws {
        try await FakeMonitorServer.with(.answer(.ok, body: #"{"ok":true,"time_ms":1}"#), in: folder) { server in
            let target = try PushTarget(file: folder.write(server.url, to: "url"), trust: server.certificate)
            try await run(to: [target], log: LogRecorder(), timeout: .seconds(10)) {
                server.requestLog.requests.count >= 4
            }
            let beats = try server.requestLog.requests.map {
                try JSONDecoder().decode(Heartbeat.self, from: Data($0.body.utf8))
            }
            let numbers = beats.compactMap(\.seq)
            // A busy machine may drop one; none is duplicated or late.
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            #expect(server.requestLog.connections < beats.count)
            #expect(beats.dropLast().allSatisfy { $0.phase == .running })
            #expect(beats.last?.phase == .stopping)
            // Less half of the exchange's duration, which depends on the machine.
            #expect(beats.last?.clockOffsetMS ?? 0 > 1_599_999_000_000)
            #expect(server.requestLog.requests.last?.head.uri.contains("status=down&msg=stopping") == true)
        }
    }

    @Test func noErrorLogsTheToken() async throws {
        let log = LogRecorder()
        try await FakeMonitorServer.with(.echo(.notFound), in: folder) { echoing in
            try await FakeMonitorServer.with(.echo(.temporaryRedirect), in: folder) { redirecting in
                try await FakeMonitorServer.with(.silence, in: folder) { silent in
                    let closed = try await FakeMonitorServer.with(.silence, in: folder) { $0.url }
                    let targets = try [
                        (echoing.url, echoing.certificate), (redirecting.url, redirecting.certificate),
                        (silent.url, silent.certificate), (echoing.url, silent.certificate), (closed, nil),
                        ("https://tok3n.invalid/tok3n", nil),
                    ].map { try PushTarget(file: folder.write($0, to: UUID().uuidString), trust: $1) }
                    try await run(to: targets, log: log, timeout: .seconds(1)) {
                        [
                            "status 404", "redirects are not followed", "did not respond in time",
                            "its certificate is not trusted", "Connection refused",
                        ].allSatisfy(log.text.contains)
                    }
                }
            }
        }
        // The host is not secret: the word may occur only there.
        #expect(!log.text.replacing("https://tok3n.invalid:443", with: "").contains("tok3n"))
        #expect(log.all.allSatisfy { $0.message == "heartbeat not delivered" })
    }
}
