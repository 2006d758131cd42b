import Foundation
import Monitor
import TestSupport
import Testing
import Wire

/// `/metrics` checked with promtool, and the rules and dashboard of `docs/observability`.
@Suite(.timeLimit(.minutes(5))) struct MetricsTests {
    /// Names of nodes, regions and channels. A carriage return with a line feed, and a quotation mark with an accent,
    /// are one character each in Swift, and two elsewhere.
    static let awkward = [
        "to\"kyo", "back\\slash", "back\\nslash", "new\nline", "both\r\nends", "accent\"\u{301}", "a=\"b\",c=\"d\"",
        "{}", "Zürich 🗝", "end\\",
    ]

    /// promtool's remark on names of Uptime Kuma.
    private static let kuma = ["monitor_cert_days_remaining use base unit \"seconds\" instead of \"days\""]

    @Test(arguments: awkward) func promtoolAcceptsEveryName(_ name: String) async throws {
        let answer = try await ServedMonitor.with([name, "tokyo"], region: name, channel: name) { monitor in
            try await monitor.push(name)
            return try await monitor.page()
        }
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.headers["cache-control"] == "no-store")
        let check = try Tool.promtool("check", "metrics", input: answer.body)
        #expect(check.lines == Self.kuma)
    }

    @Test func promtoolAcceptsAnEmptyFleet() async throws {
        let answer = try await ServedMonitor.with([]) { try await $0.page() }
        let check = try Tool.promtool("check", "metrics", input: answer.body)
        #expect(check.status == 0 && check.lines == [])
    }

    @Test func metricsAreInBaseUnits() async throws {
        let lines = try await ServedMonitor.with { monitor in
            try await monitor.push("tokyo") { ($0.ramMB, $0.ramPct, $0.p99MS) = (142, 25, 3.5) }
            return try await monitor.page().body.split(separator: "\n").map(String.init)
        }
        // The manual clock is at 1,800,000,000.
        for line in [
            #"monitor_status{monitor_name="tokyo",monitor_type="push"} 1.0"#,
            #"monitor_response_time{monitor_name="tokyo",monitor_type="push"} 12.5"#,
            #"monitor_cert_days_remaining{monitor_name="tokyo",monitor_type="push"} 62.0"#,
            #"clavitor_node_state{node="tokyo",region="asia",state="up"} 1.0"#,
            #"clavitor_node_state{node="tokyo",region="asia",state="silent"} 0.0"#,
            #"clavitor_node_memory_used_ratio{node="tokyo",region="asia"} 0.25"#,
            #"clavitor_node_memory_used_bytes{node="tokyo",region="asia"} 148897792.0"#,
            #"clavitor_node_latency_p99_seconds{node="tokyo",region="asia"} 0.0035"#,
            #"clavitor_node_push_duration_seconds{node="tokyo",region="asia"} 0.0125"#,
            #"clavitor_node_last_beat_timestamp_seconds{node="tokyo",region="asia"} 1800000000.0"#,
            #"clavitor_node_certificate_expiry_timestamp_seconds{node="tokyo",region="asia"} 1805356800.0"#,
            #"clavitor_node_last_backup_timestamp_seconds{node="tokyo",region="asia"} 1799996400.0"#,
            #"clavitor_node_beats_dropped_total{node="tokyo",region="asia"} 2.0"#,
            #"clavitor_incidents_open{severity="sev1"} 0.0"#,
            #"clavitor_monitor_beats_total 1.0"#,
            #"clavitor_monitor_store_ok 1.0"#,
            #"clavitor_monitor_delivery_wait_seconds{channel="mail"} 41.5"#,
            #"clavitor_monitor_info{version="0.1.0"} 1.0"#,
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func unknownValuesAreOmitted() async throws {
        let page = try await ServedMonitor.with { monitor in
            _ = try await monitor.api.watch.receive(
                token: monitor.tokens["tokyo"]?.text ?? "", status: "up", msg: nil, ping: nil, body: [])
            return try await monitor.page().body
        }
        #expect(page.contains(#"clavitor_node_state{node="tokyo",region="asia",state="up"} 1.0"#))
        #expect(!page.contains("cpu") && !page.contains("monitor_cert_days_remaining"))
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.split(separator: " ").last.flatMap { Double($0) }?.isFinite == true, "\(line)")
        }
    }

    @Test func aSilentNodeIsExportedAsSilent() async throws {
        let page = try await ServedMonitor.with { monitor in
            try await monitor.push("tokyo")
            await monitor.wait(120)
            return try await monitor.page().body
        }
        #expect(page.contains(#"clavitor_node_state{node="tokyo",region="asia",state="silent"} 1.0"#))
        #expect(page.contains(#"clavitor_node_state{node="tokyo",region="asia",state="up"} 0.0"#))
        #expect(page.contains(#"monitor_status{monitor_name="tokyo",monitor_type="push"} 0.0"#))
        #expect(page.contains(#"clavitor_incidents_open{severity="sev2"} 1.0"#))
    }

    // MARK: Rules and dashboard

    @Test func alertRulesPassTheirTests() throws {
        let folder = Project.observability.path
        let rules = try Tool.promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml", in: folder)
        #expect(rules.status == 0, "\(rules.output)\(rules.errors)")
        let tests = try Tool.promtool("test", "rules", "alerts_test.yml", in: folder)
        #expect(tests.status == 0, "\(tests.output)\(tests.errors)")
    }

    @Test func everyAlertRuleHasATest() throws {
        let alerts = try Project.observability("alerts.yml").matches(of: /alert: (\w+)/).map { String($0.1) }
        let tests = try Project.observability("alerts_test.yml")
        #expect(alerts.count > 15 && Set(alerts).count == alerts.count)
        for alert in alerts { #expect(tests.ranges(of: "alertname: \(alert)").count >= 1, "\(alert)") }
    }

    @Test func theConfigurationIsValid() throws {
        let scratch = try Scratch()
        for name in ["prometheus.yml", "alerts.yml"] {
            try scratch.write(Array(try Project.observability(name).utf8), to: name)
        }
        try scratch.write(Array("clm_token".utf8), to: "clavitor-token")
        let check = try Tool.promtool("check", "config", scratch.file("prometheus.yml"))
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }

    @Test func rulesAndDashboardUseExistingMetrics() async throws {
        let page = try await ServedMonitor.with { monitor in
            try await monitor.push("tokyo")
            return try await monitor.page().body
        }
        let there = Set(page.matches(of: /# TYPE (\S+)/).map { String($0.1) })
        let texts =
            try Dashboard().expressions
            + Project.observability("alerts.yml").split(separator: "- alert:").map(String.init)
        #expect(texts.count > 50)
        for text in texts {
            // Label matchers and annotation texts name no metrics.
            let bare = text.replacing(/\{[^}]*\}/, with: "").replacing(/job="[^"]*"/, with: "")
            let names = bare.matches(of: /\b(?:clavitor|monitor)_\w+/).map { String($0.0) }
            for name in names { #expect(there.contains(name), "\(name)") }
        }
    }

    @Test func theDashboardIsWhole() throws {
        let dashboard = try Dashboard()
        #expect(dashboard.schemaVersion == 39)
        #expect(dashboard.templating.list.map(\.name) == ["datasource", "node"])
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        #expect(Set(dashboard.panels.map(\.type)) == ["row", "stat", "table", "timeseries"])
        for panel in dashboard.panels where panel.type != "row" {
            #expect(panel.datasource?.uid == "${datasource}" && panel.targets?.isEmpty == false, "\(panel.title)")
        }
        for (index, one) in dashboard.panels.enumerated() {
            for other in dashboard.panels[(index + 1)...] {
                #expect(!one.gridPos.meets(other.gridPos), "\(one.title), \(other.title)")
            }
        }
    }
}

/// The parts of the dashboard that Grafana needs.
struct Dashboard: Decodable {
    struct Panel: Decodable {
        struct Source: Decodable { var uid: String }
        struct Target: Decodable { var expr: String }
        struct Place: Decodable {
            var x: Int
            var y: Int
            var w: Int
            var h: Int

            func meets(_ other: Place) -> Bool {
                x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h
            }
        }
        var id: Int
        var type: String
        var title: String
        var gridPos: Place
        var datasource: Source?
        var targets: [Target]?
    }
    struct Templating: Decodable {
        struct Variable: Decodable { var name: String }
        var list: [Variable]
    }
    var schemaVersion: Int
    var templating: Templating
    var panels: [Panel]

    init() throws {
        let file = try Project.observability("grafana-dashboard.json")
        self = try JSONDecoder().decode(Dashboard.self, from: Data(file.utf8))
    }

    var expressions: [String] { panels.flatMap { $0.targets ?? [] }.map(\.expr) }
}
