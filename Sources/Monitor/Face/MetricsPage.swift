import Wire

/// What Prometheus reads (text exposition format 0.0.4). Names of Uptime Kuma's where they mean the same.
struct MetricsPage {
    let text: String

    init(_ api: MonitorAPI) async {
        let fleet = api.watch.fleet()
        var page = Page()
        page.family("monitor_status", "gauge", "1 up, 0 down, 2 pending, 3 maintenance.") { line in
            for node in fleet.nodes { line(["monitor_name": node.name], Double(node.kumaStatus)) }
        }
        page.family("monitor_response_time_seconds", "gauge", "How long the node's last push took.") { line in
            for node in fleet.nodes { node.ping.map { line(["monitor_name": node.name], $0 / 1_000) } }
        }
        page.family("monitor_cert_days_remaining", "gauge", "Days until the certificate ends.") { line in
            for node in fleet.nodes { node.body?.certDaysRemaining.map { line(["monitor_name": node.name], $0) } }
        }
        for (name, help, value) in Self.gauges {
            page.family("clavitor_node_\(name)", "gauge", help) { line in
                for node in fleet.nodes {
                    node.body.flatMap(value).map {
                        line(["node": node.name, "region": node.region ?? ""], $0)
                    }
                }
            }
        }
        page.family("clavitor_node_last_beat_seconds", "gauge", "When the last beat came, in Unix seconds.") { line in
            for node in fleet.nodes { node.lastBeat.map { line(["node": node.name], Double($0) / 1_000) } }
        }
        page.family("clavitor_incidents_open", "gauge", "Open incidents that do not follow from another.") { line in
            for severity in Severity.allCases {
                let count = fleet.incidents.count { $0.severity == severity && $0.hiddenBy == nil }
                line(["severity": severity.rawValue], Double(count))
            }
        }
        let figures = api.watch.figures
        page.family("clavitor_monitor_beats_total", "counter", "Beats taken since the start.") {
            $0([:], Double(figures.beats))
        }
        page.family("clavitor_monitor_pushes_refused_total", "counter", "Pushes not taken since the start.") { line in
            line(["reason": "unknown token"], Double(figures.unknownTokens))
            line(["reason": "other"], Double(figures.refused))
        }
        page.family("clavitor_monitor_store_errors_total", "counter", "Failed tries to write incidents down.") {
            $0([:], Double(figures.storeErrors))
        }
        page.family("clavitor_monitor_doubtful", "gauge", "1 while the monitor judges nobody.") {
            $0([:], fleet.doubtful ? 1 : 0)
        }
        let deliveries = await api.deliveries().sorted { $0.key < $1.key }
        page.family("clavitor_monitor_deliveries_total", "counter", "Notifications delivered since the start.") {
            line in
            for (channel, figures) in deliveries { line(["channel": channel], Double(figures.delivered)) }
        }
        page.family("clavitor_monitor_delivery_failures_total", "counter", "Failed tries since the start.") { line in
            for (channel, figures) in deliveries { line(["channel": channel], Double(figures.failedAttempts)) }
        }
        page.family("clavitor_monitor_deliveries_waiting", "gauge", "Notifications not yet delivered.") { line in
            for (channel, figures) in deliveries { line(["channel": channel], Double(figures.waiting)) }
        }
        page.family("clavitor_monitor_info", "gauge", "The running version.") { $0(["version": api.version], 1) }
        text = page.text
    }

    private static let gauges: [(String, String, @Sendable (Heartbeat) -> Double?)] = [
        ("cpu_percent", "Of all processors, since the beat before.", { $0.cpuPct }),
        ("memory_percent", "Memory in use.", { $0.ramPct }),
        ("memory_megabytes", "Memory in use.", { $0.ramMB }),
        ("disk_percent", "Of the file system with the data.", { $0.diskPct }),
        ("database_megabytes", "The vault's file.", { $0.dbSizeMB }),
        ("sessions", "Active sessions.", { Double($0.activeSessions) }),
        ("requests_last_hour", "Requests of the last hour.", { Double($0.req1h) }),
        ("errors_last_hour", "Answers from 400 on, of the last hour.", { Double($0.err1h) }),
        ("latency_p99_milliseconds", "Of the last hour's answers.", { $0.p99MS }),
        ("connections", "Open connections.", { $0.conns.map(Double.init) }),
        ("read_only", "1 when the node refuses writes.", { $0.readOnly.map { $0 ? 1 : 0 } }),
        ("database_ok", "1 when the last check found no damage.", { $0.dbIntegrity == "ok" ? 1 : 0 }),
        ("backup_age_seconds", "Since the last backup.", { $0.lastBackupAgeS.map(Double.init) }),
        ("audit_lines", "Length of the audit chain.", { $0.auditSeq.map(Double.init) }),
        ("generation", "Of the system profile.", { Double($0.nixGen) }),
        ("uptime_seconds", "Of the machine.", { Double($0.uptimeS) }),
    ]

    private struct Page {
        var text = ""

        mutating func family(
            _ name: String, _ type: String, _ help: String,
            _ body: ((_ labels: KeyValuePairs<String, String>, _ value: Double) -> Void) -> Void
        ) {
            var lines = ""
            body { labels, value in
                let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
                lines += "\(name)\(pairs.isEmpty ? "" : "{\(pairs)}") \(value)\n"
            }
            guard !lines.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(lines)"
        }

        private static func escaped(_ value: String) -> String {
            value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }
    }
}

extension NodeView {
    /// Uptime Kuma's numbers.
    fileprivate var kumaStatus: Int {
        switch state {
        case .up, .late: worst == .sev1 ? 0 : 1
        case .silent: 0
        case .never, .stopped: 2
        case .maintenance: 3
        }
    }
}
