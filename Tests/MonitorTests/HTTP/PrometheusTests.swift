import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// A real Prometheus, with the configuration and the rules of `docs/observability`, reads a monitor over TLS.
@Suite(.timeLimit(.minutes(5))) struct PrometheusTests {
    @Test func prometheusScrapesTheMonitorAndAlerts() async throws {
        let names = MetricsTests.awkward + ["tokyo"]
        try await ServedMonitor.with(names) { monitor in
            for (index, name) in names.enumerated() {
                try await monitor.push(name) { $0.diskPct = Double(10 + index) }
            }
            let prometheus = try Prometheus(monitor)
            defer { prometheus.stop() }
            let values = try await prometheus.values("clavitor_node_disk_used_ratio * 100") { $0.count == names.count }
            #expect(Set(values.map { $0.metric["node"] }) == Set(names))
            for (index, name) in names.enumerated() {
                #expect(values.first { $0.metric["node"] == name }?.number.rounded() == Double(10 + index), "\(name)")
            }
            let up = try await prometheus.values("up") { $0.first?.number == 1 }
            #expect(up.map(\.metric["job"]) == ["clavitor-monitor"])

            // Every query of the dashboard returns data.
            for expression in try Dashboard().expressions {
                let answer = try await prometheus.values(
                    expression.replacing("$node", with: ".*").replacing("$__rate_interval", with: "1m")
                ) { !$0.isEmpty }
                #expect(!answer.isEmpty, "\(expression)")
            }

            // One node falls silent; if all did, it would be an isolation.
            for turn in 0..<3 {
                for name in names where name != "tokyo" { try await monitor.push(name, seq: Int64(turn + 2)) }
                await monitor.wait(30)
            }
            let alerts = try await prometheus.values(#"ALERTS{alertstate="firing", alertname="ClavitorNodeSilent"}"#) {
                !$0.isEmpty
            }
            #expect(alerts.map(\.metric["node"]) == ["tokyo"])
        }
    }

    @Test func withoutAValidTokenNothingIsServed() async throws {
        try await ServedMonitor.with { monitor in
            try await monitor.push("tokyo")
            let prometheus = try Prometheus(monitor, token: "clm_nonsense")
            defer { prometheus.stop() }
            let up = try await prometheus.values("up") { $0.first?.number == 0 }
            let statistics = try await prometheus.values("clavitor_node_state") { _ in true }
            #expect(up.count == 1 && up.first?.number == 0)
            #expect(statistics.isEmpty)
        }
    }
}

/// A `prometheus` process with its own data, which scrapes each second.
private final class Prometheus: Sendable {
    private let scratch: Scratch
    private let process: RunningTool
    private let url: String
    private let client: HTTPClient

    init(_ monitor: ServedMonitor, token: String? = nil) throws {
        scratch = try Scratch()
        client = monitor.client
        let configuration = try Project.observability("prometheus.yml")
            .replacing("monitor.example.net:443", with: "localhost:\(monitor.port)")
            .replacing("interval: 30s", with: "interval: 1s")
            .replacing(
                "    static_configs:",
                with: "    tls_config: {ca_file: \(monitor.certificate)}\n    static_configs:")
        try scratch.write(Array(configuration.utf8), to: "prometheus.yml")
        try scratch.write(Array(try Project.observability("alerts.yml").utf8), to: "alerts.yml")
        try scratch.write(Array((token ?? monitor.token).utf8), to: "clavitor-token")
        // A random address of 127.0.0.0/8, so that no other program takes the port first.
        let address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 1...254))"
        let port = try FreePort.take(on: address)
        url = "http://\(address):\(port)/api/v1/query"
        process = try RunningTool(
            "prometheus",
            [
                "--config.file=\(scratch.file("prometheus.yml"))", "--storage.tsdb.path=\(scratch.file("data"))",
                "--web.listen-address=\(address):\(port)",
            ], help: "apt-get install prometheus")
    }

    func stop() { process.stop() }

    struct Sample: Decodable, Sendable {
        var metric: [String: String]
        private var value: Value

        var number: Double { Double(value.text) ?? .nan }

        /// A timestamp, and a number as text.
        private struct Value: Decodable {
            var text: String

            init(from decoder: any Decoder) throws {
                var pair = try decoder.unkeyedContainer()
                _ = try pair.decode(Double.self)
                text = try pair.decode(String.self)
            }
        }
    }

    private struct Answer: Decodable {
        struct Content: Decodable { var result: [Sample] }
        var data: Content
    }

    struct Refused: Error { var text: String }

    /// Queries until the condition holds.
    func values(_ query: String, until condition: ([Sample]) -> Bool) async throws -> [Sample] {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "_")
        let text = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        var samples: [Sample] = []
        try await eventually("\(query) is \(samples)", every: .milliseconds(200)) {
            guard process.isRunning else { throw Refused(text: process.text) }
            guard
                let response = try? await client.execute(
                    HTTPClientRequest(url: "\(url)?query=\(text)"), timeout: .seconds(30))
            else { return false }
            let body = Data(try await response.body.collect(upTo: 16 << 20).readableBytesView)
            // It responds with 503 until it is ready.
            guard response.status != .badRequest else { throw Refused(text: String(decoding: body, as: UTF8.self)) }
            samples = (try? JSONDecoder().decode(Answer.self, from: body))?.data.result ?? []
            return response.status == .ok && condition(samples)
        }
        return samples
    }
}
