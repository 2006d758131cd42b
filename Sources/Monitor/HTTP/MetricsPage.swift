import Wire

/// The metrics page for Prometheus (text exposition format 0.0.4), in base units as its naming conventions require. The
/// first three metrics have Uptime Kuma's names and units, for dashboards made for it.
struct MetricsPage {
    let text: String

    init(_ api: MonitorAPI) async {
        let fleet = api.watch.fleet()
        var page = Exposition()
        page.addKuma(fleet.nodes)
        page.addNodes(fleet.nodes)
        page.addIncidents(fleet.incidents)
        page.addMonitor(
            api.watch.statistics, isEvaluationPaused: fleet.evaluationPaused,
            isInMemory: api.watch.store.alerts.fallbackReason != nil,
            certificate: api.check.certificate(), version: api.version)
        let isReady = api.watch.healthProblems.isEmpty
        page.family("clavitor_monitor_ready", "0 while the monitor is unhealthy.") { $0(.none, isReady ? 1 : 0) }
        page.addDeliveries((await api.check.deliveries() ?? [:]).sorted { $0.key < $1.key })
        text = page.text
    }
}

extension Exposition {
    fileprivate mutating func addKuma(_ nodes: [NodeView]) {
        let nodes = nodes.map { ($0, Labels(["monitor_name": $0.name, "monitor_type": "push"])) }
        family("monitor_status", "1 up, 0 down, 2 pending, 3 maintenance.") { line in
            for (node, labels) in nodes { line(labels, Double(node.kumaStatus)) }
        }
        family("monitor_response_time", "Duration of the node's last push, in milliseconds.") { line in
            for (node, labels) in nodes { node.ping.map { line(labels, $0) } }
        }
        family("monitor_cert_days_remaining", "Days until the certificate expires.") { line in
            for (node, labels) in nodes { node.body?.certDaysRemaining.map { line(labels, $0) } }
        }
    }

    fileprivate mutating func addNodes(_ nodes: [NodeView]) {
        let nodes = nodes.map { ($0, Labels(["node": $0.name, "region": $0.region ?? ""])) }
        family("clavitor_node_state", "1 for the present state of the node, 0 for the others.") { line in
            for (node, labels) in nodes {
                for state in NodeView.State.allCases {
                    line(labels.with("state", state.rawValue), node.state == state ? 1 : 0)
                }
            }
        }
        family("clavitor_node_last_beat_timestamp_seconds", "Time of the last heartbeat.") { line in
            for (node, labels) in nodes { node.lastBeat.map { line(labels, Double($0) / 1_000) } }
        }
        family("clavitor_node_push_duration_seconds", "Duration of the node's last push.") { line in
            for (node, labels) in nodes { node.ping.map { line(labels, $0 / 1_000) } }
        }
        family("clavitor_node_info", "Version of the node.") { line in
            for (node, labels) in nodes { node.body?.version.map { line(labels.with("version", $0), 1) } }
        }
        for metric in NodeMetric.all {
            family("clavitor_node_\(metric.name)", metric.help) { line in
                for (node, labels) in nodes {
                    node.body.flatMap { metric.value($0, node) }.map { line(labels, $0) }
                }
            }
        }
    }

    fileprivate mutating func addIncidents(_ incidents: [Incident]) {
        family("clavitor_incidents_open", "Open incidents that are not inhibited.") { line in
            for severity in Severity.allCases {
                let count = incidents.count { $0.severity == severity && $0.inhibitedBy == nil }
                line(Labels(["severity": severity.rawValue]), Double(count))
            }
        }
        family("clavitor_monitor_isolated", "1 while most nodes are silent together.") { line in
            line(.none, incidents.contains { $0.rule == "cut-off" } ? 1 : 0)
        }
    }

    fileprivate mutating func addMonitor(
        _ statistics: WatchStatistics, isEvaluationPaused: Bool, isInMemory: Bool, certificate: CertificateValidity?,
        version: String
    ) {
        family("clavitor_monitor_info", "Version of the monitor.") { $0(Labels(["version": version]), 1) }
        family("clavitor_monitor_evaluation_paused", "1 while evaluation is paused.") {
            $0(.none, isEvaluationPaused ? 1 : 0)
        }
        if let certificate {
            family("clavitor_monitor_certificate_expiry_timestamp_seconds", "Expiry of the monitor's certificate.") {
                $0(.none, Double(certificate.until) / 1_000)
            }
        }
        family("clavitor_monitor_beats_total", "Heartbeats accepted since the start.") {
            $0(.none, Double(statistics.beats))
        }
        family("clavitor_monitor_pushes_refused_total", "Pushes rejected since the start.") { line in
            line(Labels(["reason": "unknown token"]), Double(statistics.unknownTokens))
            line(Labels(["reason": "other"]), Double(statistics.rejected))
        }
        family("clavitor_monitor_store_ok", "0 while incidents cannot be stored.") { line in
            line(.none, statistics.isStoreHealthy && !isInMemory ? 1 : 0)
        }
        family("clavitor_monitor_store_errors_total", "Failed attempts to store incidents.") { line in
            line(.none, Double(statistics.storeErrors))
        }
    }

    fileprivate mutating func addDeliveries(_ channels: [(key: String, value: DeliveryStatistics)]) {
        let channels = channels.map { (Labels(["channel": $0.key]), $0.value) }
        func add(_ name: String, _ help: String, _ value: (DeliveryStatistics) -> Double) {
            family("clavitor_monitor_\(name)", help) { line in
                for (labels, statistics) in channels { line(labels, value(statistics)) }
            }
        }
        add("deliveries_total", "Notifications delivered since the start.") { Double($0.delivered) }
        add("delivery_failures_total", "Failed delivery attempts since the start.") { Double($0.failedAttempts) }
        add("channel_failing_seconds", "Seconds for which all attempts have failed; 0 when the channel works.") {
            $0.failing
        }
        add("deliveries_waiting", "Changes not yet delivered.") { Double($0.waiting) }
        add("delivery_wait_seconds", "Age of the oldest undelivered change.") { $0.oldestWaiting }
    }
}

/// A heartbeat value, in base units.
private struct NodeMetric: Sendable {
    let name: String
    let help: String
    let value: @Sendable (Heartbeat, NodeView) -> Double?

    init(_ name: String, _ help: String, _ value: @escaping @Sendable (Heartbeat, NodeView) -> Double?) {
        self.name = name
        self.help = help
        self.value = value
    }

    private static let mebibyte = 1_048_576.0
    private static let day = 86_400.0

    static let all = [
        NodeMetric("clock_offset_seconds", "Offset of its clock from the monitor's.") { Double($1.skew) / 1_000 },
        NodeMetric("cpu_usage_ratio", "Usage of all processors since the previous heartbeat.") { beat, _ in
            beat.cpuPct.map { $0 / 100 }
        },
        NodeMetric("load1", "Load average of one minute.") { beat, _ in beat.load1m },
        NodeMetric("memory_used_ratio", "Memory that is not available to a new program.") { beat, _ in
            beat.ramPct.map { $0 / 100 }
        },
        NodeMetric("memory_used_bytes", "Memory that is not available to a new program.") { beat, _ in
            beat.ramMB.map { $0 * mebibyte }
        },
        NodeMetric("swap_used_bytes", "Swap in use.") { beat, _ in beat.swapMB.map { $0 * mebibyte } },
        NodeMetric("resident_memory_bytes", "Resident memory of the node process.") { beat, _ in
            beat.rssMB.map { $0 * mebibyte }
        },
        NodeMetric("memory_pressure_ratio", "Share of ten seconds in which a task waited for memory.") { beat, _ in
            beat.psiMemory.map { $0 / 100 }
        },
        NodeMetric("disk_pressure_ratio", "Share of ten seconds in which a task waited for the disk.") { beat, _ in
            beat.psiIO.map { $0 / 100 }
        },
        NodeMetric("disk_used_ratio", "Used space of the file system with the data.") { beat, _ in
            beat.diskPct.map { $0 / 100 }
        },
        NodeMetric("disk_used_bytes", "Used space of the file system with the data.") { beat, _ in
            beat.diskMB.map { $0 * mebibyte }
        },
        NodeMetric("database_bytes", "Size of the vault's database file.") { beat, _ in beat.dbSizeMB * mebibyte },
        NodeMetric("database_ok", "1 when the last check found no damage.") { beat, _ in
            fact(beat.dbIntegrity == "ok")
        },
        NodeMetric("read_only", "1 when the node rejects writes.") { beat, _ in beat.readOnly.map(fact) },
        NodeMetric("sessions", "Active sessions.") { beat, _ in Double(beat.activeSessions) },
        NodeMetric("connections", "Open connections.") { beat, _ in beat.conns.map(Double.init) },
        NodeMetric("requests_last_hour", "Requests of the last hour.") { beat, _ in Double(beat.req1h) },
        NodeMetric("errors_last_hour", "Responses with status 400 or above in the last hour.") { beat, _ in
            Double(beat.err1h)
        },
        NodeMetric("server_errors_last_hour", "Responses with status 500 or above in the last hour.") { beat, _ in
            beat.err5xx1h.map(Double.init)
        },
        NodeMetric("latency_p99_seconds", "99th percentile latency of the last hour.") { beat, _ in
            beat.p99MS.map { $0 / 1_000 }
        },
        NodeMetric("certificate_expiry_timestamp_seconds", "Expiry of the certificate.") { beat, node in
            beat.certDaysRemaining.flatMap { timestamp(node, plus: $0 * day) }
        },
        NodeMetric("certificate_lifetime_seconds", "Lifetime of the certificate.") { beat, _ in
            beat.certLifetimeDays.map { $0 * day }
        },
        NodeMetric("last_backup_timestamp_seconds", "Time of the last backup.") { beat, node in
            beat.lastBackupAgeS.flatMap { timestamp(node, plus: -Double($0)) }
        },
        NodeMetric("audit_lines", "Length of the audit chain.") { beat, _ in beat.auditSeq.map(Double.init) },
        NodeMetric("audit_ok", "1 when the last verification found the chain intact.") { beat, _ in
            beat.auditOK.map(fact)
        },
        NodeMetric("generation", "Generation of the system profile.") { beat, _ in Double(beat.nixGen) },
        NodeMetric("uptime_seconds", "Uptime of the machine.") { beat, _ in beat.uptimeS.map(Double.init) },
        NodeMetric("beats_dropped_total", "Heartbeats not delivered since the node's start.") { beat, _ in
            beat.beatsDropped.map(Double.init)
        },
    ]

    @Sendable private static func fact(_ isSo: Bool) -> Double { isSo ? 1 : 0 }

    /// A timestamp by the monitor's clock rather than an age: an age would stand still while a node is silent.
    private static func timestamp(_ node: NodeView, plus seconds: Double) -> Double? {
        node.lastBeat.map { Double($0) / 1_000 + seconds }
    }
}

/// Builds the page, one metric family after another.
private struct Exposition {
    private(set) var text = ""

    /// Label pairs, as between the braces.
    struct Labels {
        static let none = Labels([:])
        let text: String

        init(_ pairs: KeyValuePairs<String, String>) {
            text = pairs.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        }

        private init(text: String) { self.text = text }

        func with(_ name: String, _ value: String) -> Labels {
            Labels(text: "\(text),\(name)=\"\(Self.escaped(value))\"")
        }

        /// Escapes scalar by scalar: as characters, a quotation mark with a combining accent is not a quotation mark,
        /// and a line feed after a carriage return is not a line feed.
        private static func escaped(_ value: String) -> String {
            var escaped = String.UnicodeScalarView()
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
                case "\\", "\"": escaped.append(contentsOf: ["\\", scalar])
                default: escaped.append(scalar)
                }
            }
            return String(escaped)
        }
    }

    /// Adds a metric family; nothing when it has no samples. Names that end in `_total` are counters, all others
    /// gauges.
    mutating func family(
        _ name: String, _ help: String, _ body: ((_ labels: Labels, _ value: Double) -> Void) -> Void
    ) {
        var lines = ""
        body { labels, value in
            lines += labels.text.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels.text)} \(value)\n"
        }
        guard !lines.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(name.hasSuffix("_total") ? "counter" : "gauge")\n\(lines)"
    }
}

extension NodeView {
    /// Uptime Kuma's status numbers.
    fileprivate var kumaStatus: Int {
        switch state {
        case .up, .late: worst == .sev1 ? 0 : 1
        case .silent: 0
        case .never, .stopped: 2
        case .maintenance: 3
        }
    }
}
