import Wire

/// What Prometheus reads (text exposition format 0.0.4), in base units as its naming conventions ask. The first three are
/// Uptime Kuma's in name and unit, for what was made for it.
struct MetricsPage {
    let text: String

    init(_ api: MonitorAPI) async {
        let fleet = api.watch.fleet()
        var page = Exposition()
        page.addKuma(fleet.nodes)
        page.addNodes(fleet.nodes)
        page.addIncidents(fleet.incidents)
        page.addSelf(
            api.watch.figures, isDoubtful: fleet.doubtful, isInMemory: api.watch.store.ledger.trouble != nil,
            certificate: api.check.certificate(), version: api.version)
        let isReady = api.watch.ills.isEmpty
        page.family("clavitor_monitor_ready", "0 while the monitor cannot do its work.") { $0(.none, isReady ? 1 : 0) }
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
        family("monitor_response_time", "How long the node's last push took, in milliseconds.") { line in
            for (node, labels) in nodes { node.ping.map { line(labels, $0) } }
        }
        family("monitor_cert_days_remaining", "Days until the certificate ends.") { line in
            for (node, labels) in nodes { node.body?.certDaysRemaining.map { line(labels, $0) } }
        }
    }

    fileprivate mutating func addNodes(_ nodes: [NodeView]) {
        let nodes = nodes.map { ($0, Labels(["node": $0.name, "region": $0.region ?? ""])) }
        family("clavitor_node_state", "1 for the state that the node is in, 0 for the others.") { line in
            for (node, labels) in nodes {
                for state in NodeView.State.allCases {
                    line(labels.with("state", state.rawValue), node.state == state ? 1 : 0)
                }
            }
        }
        family("clavitor_node_last_beat_timestamp_seconds", "When the last beat came.") { line in
            for (node, labels) in nodes { node.lastBeat.map { line(labels, Double($0) / 1_000) } }
        }
        family("clavitor_node_push_duration_seconds", "How long the node's last push took.") { line in
            for (node, labels) in nodes { node.ping.map { line(labels, $0 / 1_000) } }
        }
        family("clavitor_node_info", "The version that the node runs.") { line in
            for (node, labels) in nodes { node.body?.version.map { line(labels.with("version", $0), 1) } }
        }
        for figure in NodeFigure.all {
            family("clavitor_node_\(figure.name)", figure.help) { line in
                for (node, labels) in nodes {
                    node.body.flatMap { figure.value($0, node) }.map { line(labels, $0) }
                }
            }
        }
    }

    fileprivate mutating func addIncidents(_ incidents: [Incident]) {
        family("clavitor_incidents_open", "Open incidents that do not follow from another.") { line in
            for severity in Severity.allCases {
                let count = incidents.count { $0.severity == severity && $0.hiddenBy == nil }
                line(Labels(["severity": severity.rawValue]), Double(count))
            }
        }
        family("clavitor_monitor_cut_off", "1 while most nodes are silent together.") { line in
            line(.none, incidents.contains { $0.rule == "cut-off" } ? 1 : 0)
        }
    }

    fileprivate mutating func addSelf(
        _ figures: WatchFigures, isDoubtful: Bool, isInMemory: Bool, certificate: CertificateLife?, version: String
    ) {
        family("clavitor_monitor_info", "The version that the monitor runs.") { $0(Labels(["version": version]), 1) }
        family("clavitor_monitor_doubtful", "1 while the monitor judges nobody.") { $0(.none, isDoubtful ? 1 : 0) }
        if let certificate {
            family("clavitor_monitor_certificate_expiry_timestamp_seconds", "When the monitor's certificate ends.") {
                $0(.none, Double(certificate.until) / 1_000)
            }
        }
        family("clavitor_monitor_beats_total", "Beats taken since the start.") { $0(.none, Double(figures.beats)) }
        family("clavitor_monitor_pushes_refused_total", "Pushes not taken since the start.") { line in
            line(Labels(["reason": "unknown token"]), Double(figures.unknownTokens))
            line(Labels(["reason": "other"]), Double(figures.refused))
        }
        family("clavitor_monitor_store_ok", "0 while incidents cannot be written down.") { line in
            line(.none, figures.isStoreWell && !isInMemory ? 1 : 0)
        }
        family("clavitor_monitor_store_errors_total", "Failed tries to write incidents down.") { line in
            line(.none, Double(figures.storeErrors))
        }
    }

    fileprivate mutating func addDeliveries(_ channels: [(key: String, value: DeliveryFigures)]) {
        let channels = channels.map { (Labels(["channel": $0.key]), $0.value) }
        func add(_ name: String, _ help: String, _ value: (DeliveryFigures) -> Double) {
            family("clavitor_monitor_\(name)", help) { line in
                for (labels, figures) in channels { line(labels, value(figures)) }
            }
        }
        add("deliveries_total", "Notifications delivered since the start.") { Double($0.delivered) }
        add("delivery_failures_total", "Failed tries to deliver since the start.") { Double($0.failedAttempts) }
        add("channel_failing_seconds", "For how long it has taken nothing that was tried; 0 when it works.") {
            $0.failing
        }
        add("deliveries_waiting", "Changes not yet told.") { Double($0.waiting) }
        add("delivery_wait_seconds", "How long the oldest of these has waited.") { $0.oldestWaiting }
    }
}

/// What a heartbeat says, in base units.
private struct NodeFigure: Sendable {
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
        NodeFigure("clock_offset_seconds", "How far its clock is ahead of the monitor's.") { Double($1.skew) / 1_000 },
        NodeFigure("cpu_usage_ratio", "Of all processors, since the beat before.") { beat, _ in
            beat.cpuPct.map { $0 / 100 }
        },
        NodeFigure("load1", "Load average of one minute.") { beat, _ in beat.load1m },
        NodeFigure("memory_used_ratio", "Not available to a new program.") { beat, _ in beat.ramPct.map { $0 / 100 } },
        NodeFigure("memory_used_bytes", "Not available to a new program.") { beat, _ in beat.ramMB.map { $0 * mebibyte }
        },
        NodeFigure("swap_used_bytes", "Swap in use.") { beat, _ in beat.swapMB.map { $0 * mebibyte } },
        NodeFigure("resident_memory_bytes", "Of the program itself.") { beat, _ in beat.rssMB.map { $0 * mebibyte } },
        NodeFigure("memory_pressure_ratio", "Of ten seconds, with a task that waited for memory.") { beat, _ in
            beat.psiMemory.map { $0 / 100 }
        },
        NodeFigure("disk_pressure_ratio", "Of ten seconds, with a task that waited for the disk.") { beat, _ in
            beat.psiIO.map { $0 / 100 }
        },
        NodeFigure("disk_used_ratio", "Of the file system with the data.") { beat, _ in beat.diskPct.map { $0 / 100 } },
        NodeFigure("disk_used_bytes", "Of the file system with the data.") { beat, _ in
            beat.diskMB.map { $0 * mebibyte }
        },
        NodeFigure("database_bytes", "The vault's file.") { beat, _ in beat.dbSizeMB * mebibyte },
        NodeFigure("database_ok", "1 when the last check found no damage.") { beat, _ in
            fact(beat.dbIntegrity == "ok")
        },
        NodeFigure("read_only", "1 when the node refuses writes.") { beat, _ in beat.readOnly.map(fact) },
        NodeFigure("sessions", "Active sessions.") { beat, _ in Double(beat.activeSessions) },
        NodeFigure("connections", "Open connections.") { beat, _ in beat.conns.map(Double.init) },
        NodeFigure("requests_last_hour", "Requests of the last hour.") { beat, _ in Double(beat.req1h) },
        NodeFigure("errors_last_hour", "Answers from 400 on, of the last hour.") { beat, _ in Double(beat.err1h) },
        NodeFigure("server_errors_last_hour", "Answers from 500 on, of the last hour.") { beat, _ in
            beat.err5xx1h.map(Double.init)
        },
        NodeFigure("latency_p99_seconds", "Of the last hour's answers.") { beat, _ in beat.p99MS.map { $0 / 1_000 } },
        NodeFigure("certificate_expiry_timestamp_seconds", "When the certificate ends.") { beat, node in
            beat.certDaysRemaining.flatMap { moment(node, plus: $0 * day) }
        },
        NodeFigure("certificate_lifetime_seconds", "Between the certificate's two dates.") { beat, _ in
            beat.certLifetimeDays.map { $0 * day }
        },
        NodeFigure("last_backup_timestamp_seconds", "When the last backup was made.") { beat, node in
            beat.lastBackupAgeS.flatMap { moment(node, plus: -Double($0)) }
        },
        NodeFigure("audit_lines", "Length of the audit chain.") { beat, _ in beat.auditSeq.map(Double.init) },
        NodeFigure("audit_ok", "1 when the last verification found the chain whole.") { beat, _ in
            beat.auditOK.map(fact)
        },
        NodeFigure("generation", "Of the system profile.") { beat, _ in Double(beat.nixGen) },
        NodeFigure("uptime_seconds", "Of the machine.") { beat, _ in beat.uptimeS.map(Double.init) },
        NodeFigure("beats_dropped_total", "Beats not delivered since the node's start.") { beat, _ in
            beat.beatsDropped.map(Double.init)
        },
    ]

    @Sendable private static func fact(_ isSo: Bool) -> Double { isSo ? 1 : 0 }

    /// A moment, by the monitor's clock, and not an age: an age would stand still while a node is silent.
    private static func moment(_ node: NodeView, plus seconds: Double) -> Double? {
        node.lastBeat.map { Double($0) / 1_000 + seconds }
    }
}

/// The text of a page, family by family.
private struct Exposition {
    private(set) var text = ""

    /// Label pairs as they stand between the braces.
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

        /// Scalar by scalar: as characters, a quotation mark with an accent on it is not a quotation mark, and a line
        /// feed after a carriage return is no line feed.
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

    /// Nothing at all when there is no line. What ends in `_total` is a counter, and all else a gauge.
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
