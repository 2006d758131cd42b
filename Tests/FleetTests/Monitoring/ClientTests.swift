import Fleet
import Foundation
import Synchronization
import TestSupport
import Testing
import Wire

extension RealMachines {
    /// Uses TLS on real sockets.
    @Suite(.enabled(if: TLSServer.isPossible))
    struct ClientTests {
        private static let fleet = """
            {"now":1000,"evaluationPaused":false,"healthProblems":[],"timing":{"interval":30000,"sev2":1,"sev1":2},"nodes":[{"name":"tokyo","state":"up",
            "skew":3,"lastBeat":990,"new":"later"}],"incidents":[{"id":7,"key":"tokyo/disk","node":"tokyo","rule":"disk",
            "severity":"sev2","title":"tokyo runs out of disk","detail":"","opened":1}],"silences":[],"maintenanceWindows":[]}
            """

        private func withMonitor<R>(
            answer: @escaping TLSServer.Answer, name: String = "monitor.example.com",
            _ body: (MonitorClient) async throws -> R
        ) async throws -> R {
            let scratch = try Scratch()
            let server = try await TLSServer(
                name: "monitor.example.com", address: "127.0.85.1", folder: scratch.path, answer: answer)
            let result: Result<R, any Error>
            do {
                result = .success(
                    try await HTTPSExchange.connected(addresses: [name: "127.0.85.1"], caFile: server.caFile) {
                        try await body(MonitorClient(name: name, token: "clm_1", exchange: $0))
                    })
            } catch {
                result = .failure(error)
            }
            try await server.stop()
            return try result.get()
        }

        @Test func theFleetIsReadAndMaintenanceWindowsAreOpenedAndClosed() async throws {
            let seen = Mutex<[TLSServer.Request]>([])
            try await withMonitor { request in
                seen.withLock { $0.append(request) }
                return switch request.line.prefix(4) {
                case "GET ": (200, Self.fleet)
                case "POST": (201, #"{"id":4,"nodes":["tokyo"],"by":"soc","reason":"deploy","until":9}"#)
                default: (404, #"{"type":"/problems/no-such","title":"There is none","status":404}"#)
                }
            } _: { client in
                let report = try await client.fleet()
                #expect(report.node("tokyo")?.lastBeat == 990)
                #expect(report.incidents.map(\.title) == ["tokyo runs out of disk"])
                #expect(try await client.openMaintenanceWindow(nodes: ["tokyo"], reason: "deploy", minutes: 9).id == 4)
                // Closing a closed window succeeds.
                try await client.closeMaintenanceWindow(4)
            }
            let requests = seen.withLock { $0 }
            #expect(
                requests.map(\.line) == [
                    "GET /api/v1/fleet", "POST /api/v1/maintenance", "DELETE /api/v1/maintenance/4",
                ])
            #expect(requests.allSatisfy { $0.authorization == "Bearer clm_1" })
            #expect(requests[1].body.contains(#""minutes":9"#))
        }

        struct Trouble: CustomTestStringConvertible, Sendable {
            let status: Int
            let body: String
            let error: MonitorError

            var testDescription: String { "\(status)" }
        }

        @Test(arguments: [
            Trouble(status: 401, body: "{}", error: .badToken),
            Trouble(
                status: 400, body: #"{"type":"/problems/x","title":"No","status":400,"detail":"Say why"}"#,
                error: .refused(400, "No: Say why")),
            Trouble(status: 503, body: "<html>", error: .refused(503, "no reason given")),
        ])
        func rejectionsAreReported(_ trouble: Trouble) async throws {
            await #expect(throws: trouble.error) {
                try await withMonitor(answer: { _ in (trouble.status, trouble.body) }) { try await $0.fleet() }
            }
        }

        @Test(arguments: [
            (#""now":1000"#, #""now":-9223372036854775807"#), (#""lastBeat":990"#, #""lastBeat":9223372036854775807"#),
            (#""skew":3"#, #""skew":-9223372036854775808"#), (#""sev2":1"#, #""sev2":9223372036854775807"#),
            (
                #""maintenanceWindows":[]"#,
                #""maintenanceWindows":[{"id":1,"nodes":[],"reason":"","until":9223372036854775807}]"#
            ),
        ])
        func impossibleTimesAreRejected(_ from: String, _ to: String) async throws {
            let lie = Self.fleet.replacing(from, with: to)
            #expect(lie != Self.fleet)
            let error = await #expect(throws: MonitorError.self) {
                try await withMonitor(answer: { _ in (200, lie) }) { try await $0.fleet() }
            }
            #expect(try #require(error) == .invalidResponse("it has numbers out of range"))
        }

        @Test(arguments: [1e300, -1e300, .infinity, .nan]) func impossiblePercentagesAreRejected(
            _ percent: Double
        ) {
            var node = ConfirmationCheckTests.Case().report
            node.body?.diskPct = 99.5
            var report = FleetReport(
                now: 1, isEvaluationPaused: false, timing: .init(sev2: 1), nodes: [node], incidents: [],
                maintenanceWindows: [])
            #expect(report.isPlausible)
            report.nodes[0].body?.diskPct = percent
            #expect(!report.isPlausible)
        }

        @Test func anUnsendableTokenIsNotPrinted() async throws {
            try await HTTPSExchange.connected(addresses: ["monitor.example.com": "127.0.85.9"], caFile: nil) {
                exchange in
                let client = MonitorClient(name: "monitor.example.com", token: "clm_\u{1B}[200~", exchange: exchange)
                await #expect(throws: MonitorError.badToken) { try await client.fleet() }
            }
        }

        @Test func anEndlessBodyIsAborted() async throws {
            let large = String(repeating: " ", count: 17 << 20)
            await #expect(throws: MonitorError.self) {
                try await withMonitor(answer: { _ in (200, large) }) { try await $0.fleet() }
            }
        }

        @Test func aCertificateForAnotherNameIsRefused() async throws {
            let seen = Mutex(0)
            let error = await #expect(throws: MonitorError.self) {
                try await withMonitor(
                    answer: { _ in
                        seen.withLock { $0 += 1 }
                        return (200, Self.fleet)
                    }, name: "other.example.com"
                ) { try await $0.fleet() }
            }
            #expect("\(try #require(error))".contains("certificate"))
            #expect(seen.withLock { $0 } == 0, "no token is sent to another server")
        }

        @Test func anUnreachableMonitorIsReported() async throws {
            try await HTTPSExchange.connected(addresses: ["monitor.example.com": "127.0.85.9"], caFile: nil) {
                exchange in
                let error = await #expect(throws: MonitorError.self) {
                    try await MonitorClient(name: "monitor.example.com", token: "clm_secret", exchange: exchange)
                        .fleet()
                }
                let reported = "\(try #require(error))"
                #expect(reported.contains("Connection refused"), "\(reported)")
                #expect(!reported.contains("clm_secret"))
            }
        }

        @Test func aNodeIsProbedAtItsAddressWithItsName() async throws {
            let inventory = try Inventory(toml: FleetFixture.text(network: "127.0.85"))
            var node = try inventory.node("tokyo")
            let scratch = try Scratch()
            let isIll = Mutex(false)
            let server = try await TLSServer(name: node.domain, address: node.ipv4, folder: scratch.path) { request in
                if request.line.hasSuffix("/readyz") {
                    return isIll.withLock { $0 } ? (503, #"{"status":"ill","reasons":["disk"]}"#) : (200, "{}")
                }
                return (200, #"{"origin":"tokyo.example.com","version":"2.0","registration":"open"}"#)
            }
            try await HTTPSExchange.connected(addresses: [node.domain: node.ipv4], caFile: server.caFile) { exchange in
                let probe = HTTPSProbe(exchange: exchange)
                #expect(await probe.health(of: node) == .ready(version: "2.0"))
                isIll.withLock { $0 = true }
                #expect(await probe.health(of: node) == .notReady("/readyz answers 503: disk"))
                node.ipv4 = ""
                #expect(await probe.health(of: node) == .notReady("it has no ipv4 in the inventory"))
            }
            // A client with the public authorities only rejects this one.
            node.ipv4 = "127.0.85.2"
            try await HTTPSExchange.connected(addresses: [node.domain: node.ipv4], caFile: nil) { exchange in
                #expect(
                    await HTTPSProbe(exchange: exchange).health(of: node) == .notReady("its certificate is not trusted")
                )
            }
            try await server.stop()
        }
    }
}
