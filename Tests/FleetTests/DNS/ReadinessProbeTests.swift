import Fleet
import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// Uses TLS servers on loopback addresses.
@Suite(.timeLimit(.minutes(3))) struct ReadinessProbeTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func answers(
        _ names: [String], server: SecureServer, timeout: Duration = .seconds(4)
    ) async throws -> [String: ProbeResult] {
        let nodes = try sampleFleet(4) { nodes in
            for index in nodes.indices { nodes[index].ipv4 = "127.0.85.1" }
        }.nodes.filter { names.contains($0.name) }
        let addresses = Dictionary(uniqueKeysWithValues: nodes.map { ($0.domain, $0.ipv4) })
        return try await HTTPSExchange.connected(addresses: addresses, caFile: server.certificate) { exchange in
            await HTTPSProbe(exchange: exchange).results(of: nodes, timeout: timeout, port: server.port)
        }
    }

    @Test func theProbeUsesTheInventorysAddressAndName() async throws {
        let hosts = Mutex<[String]>([])
        let answers = try await SecureServer.with(
            names: ["n1.example.org", "n2.example.org"], host: "127.0.85.1", in: scratch.path,
            conduct: { request in
                let host = request.headers["Host"].first ?? ""
                hosts.withLock { $0.append("\(host.prefix { $0 != ":" })\(request.uri)") }
                return .init(status: host.hasPrefix("n2") ? .serviceUnavailable : .ok)
            }
        ) { try await self.answers(["n1", "n2"], server: $0) }
        #expect(answers == ["n1": .ready, "n2": .notReady(503)])
        #expect(hosts.withLock { $0.sorted() } == ["n1.example.org/readyz", "n2.example.org/readyz"])
    }

    @Test func aCertificateForAnotherNameIsReported() async throws {
        let answers = try await SecureServer.with(
            names: ["other.example.org"], host: "127.0.85.1", in: scratch.path, conduct: { _ in .init() }
        ) { try await self.answers(["n1"], server: $0) }
        #expect(answers["n1"] == .badCertificate("its certificate is for another name"))
    }

    @Test func anUntrustedCertificateIsReported() async throws {
        let nodes = try sampleFleet(2) { $0[0].ipv4 = "127.0.85.1" }.nodes.filter { $0.name == "n1" }
        let answers = try await SecureServer.with(
            names: ["n1.example.org"], host: "127.0.85.1", in: scratch.path, conduct: { _ in .init() }
        ) { server in
            try await HTTPSExchange.connected(addresses: [nodes[0].domain: "127.0.85.1"], caFile: nil) {
                await HTTPSProbe(exchange: $0).results(of: nodes, port: server.port)
            }
        }
        #expect(answers["n1"] == .badCertificate("its certificate is not trusted"))
    }

    /// A watch without IPv6 reports no missing IPv6.
    @Test func aNodeWithoutIPv6IsReportedIfOthersHaveIt() {
        let answers: [String: ProbeResult] = ["n1": .ready, "n2": .ready, "n3": .notReady(503), "n4": .ready]
        let dead = ProbeResult.unreachable("refused")
        #expect(HTTPSProbe.merge(answers, ["n1": dead, "n2": dead]) == answers)
        let merged = HTTPSProbe.merge(answers, ["n1": .ready, "n2": dead, "n3": dead])
        #expect(merged == answers.merging(["n2": .readyByIPv4("\(dead)")]) { $1 })
        let observation = HealthObservation(monitor: .healthy, probe: .readyByIPv4("\(dead)"))
        #expect(
            observation.isHealthy && observation.agreedFailure == nil
                && observation.discrepancy?.contains("IPv4 alone") == true
        )
    }

    @Test func theProbeTimesOut() async throws {
        let answers = try await SecureServer.with(
            names: ["n1.example.org"], host: "127.0.85.1", in: scratch.path, conduct: { _ in nil }
        ) { try await self.answers(["n1"], server: $0, timeout: .milliseconds(300)) }
        #expect(answers["n1"] == .unreachable("no answer in time"))
    }

    @Test func aRedirectIsNotReady() async throws {
        let answers = try await SecureServer.with(
            names: ["n1.example.org"], host: "127.0.85.1", in: scratch.path,
            conduct: { _ in .init(status: .found, headers: ["Location": "https://n2.example.org/"]) }
        ) { try await self.answers(["n1"], server: $0) }
        #expect(answers["n1"] == .notReady(302))
    }

    @Test func aClosedPortIsReported() async throws {
        let nodes = try sampleFleet(2) { $0[0].ipv4 = "127.0.85.2" }.nodes.filter { $0.name == "n1" }
        let port = try FreePort.take(on: "127.0.85.2")
        let answers = try await HTTPSExchange.connected(addresses: [nodes[0].domain: "127.0.85.2"], caFile: nil) {
            await HTTPSProbe(exchange: $0).results(of: nodes, port: port)
        }
        guard case .unreachable(let reason)? = answers["n1"] else {
            Issue.record("\(answers)")
            return
        }
        #expect(reason.contains("refused"), "\(reason)")
    }
}
