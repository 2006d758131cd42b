import Wire

extension Rule {
    /// Every rule, causes before the rules that follow from them.
    package static let table: [Rule] = [
        Rule(
            "audit-chain", [.fact(.sev1)], isLatched: true,
            title: { "\($0): the audit chain has changed" },
            detail: { $1.auditFinding?.text ?? "" },
            measure: { $1.auditFinding.map { $0.isBroken ? 1 : 0 } }),
        Rule(
            "audit-unproven", [Level(.sev2, from: 3, until: 1)], followsFrom: ["audit-chain"],
            title: { "\($0) does not prove its audit chain" },
            detail: { _, reading in
                "\(reading.unproven) heartbeats in a row did not show that the log continues the lines seen before. "
                    + "Run `clavitor-node audit verify` on the node."
            },
            measure: { beat, reading in beat.auditSeq.map { _ in Double(reading.unproven) } }),
        Rule(
            "heartbeat-key", [.fact(.sev1)], isLatched: true,
            title: { "\($0): heartbeats that it did not sign" },
            detail: { _, _ in
                "Someone who has its push URL speaks for it, or it serves another vault now. `clavitor-monitor node renew` "
                    + "revokes the URL. Accepting the incident takes the key of the next heartbeat."
            },
            measure: { $1.hasOtherKey ? 1 : 0 }),
        Rule(
            "restored", [.fact(.warning)], isLatched: true,
            title: { "\($0) was restored from a backup" },
            detail: { beat, _ in "It is in audit epoch \(beat.auditEpoch ?? 0) now." },
            measure: { $1.auditFinding.map { $0 == .restored ? 1 : 0 } }),
        Rule(
            // A single replay may be caused by the network.
            "replayed", [Level(.warning, from: 3, until: 1)],
            title: { "\($0): replayed heartbeats" },
            detail: { _, _ in
                "Someone who has its push URL replays heartbeats, or the machine was restored to an older state. "
                    + "`clavitor-monitor node renew` revokes the URL."
            },
            measure: { Double($1.replays) }),
        Rule(
            "audit", [.fact(.sev1)],
            title: { "\($0): the audit log does not verify" },
            detail: { _, _ in "Run `clavitor-node audit verify` on the node." },
            measure: { beat, _ in beat.auditOK.map { $0 ? 0 : 1 } }),
        Rule(
            "database", [.fact(.sev1)],
            title: { "\($0): the database is damaged" },
            detail: { beat, _ in "The node reports: \(beat.dbIntegrity)" },
            measure: { beat, _ in beat.dbIntegrity == "ok" ? 0 : 1 }),
        Rule(
            "disk",
            [
                Level(.warning, from: 85, until: 82), Level(.sev2, from: 90, until: 88),
                Level(.sev1, from: CriticalLimits.disk, until: 93),
            ],
            title: { "\($0): the disk is filling up" },
            detail: { beat, _ in "\(beat.diskPct.map(one) ?? "?") % used; the database takes \(one(beat.dbSizeMB)) MB."
            },
            measure: { beat, _ in beat.diskPct }),
        Rule(
            "read-only", [.fact(.sev1)], followsFrom: ["audit", "database", "disk"],
            title: { "\($0) is read-only" },
            detail: { _, _ in "It rejects every write; its /readyz gives the reason." },
            measure: { beat, _ in beat.readOnly.map { $0 ? 1 : 0 } }),
        Rule(
            "certificate",
            // A renewal is due with a third of the lifetime left (half, below ten days): a quarter left means that it
            // failed.
            [
                Level(.warning, from: 0.75, until: 0.7), Level(.sev2, from: 5.0 / 6, until: 0.8),
                Level(.sev1, from: CriticalLimits.certificate, until: 0.9),
            ],
            title: { "\($0): the certificate is not being renewed" },
            detail: { beat, _ in
                let left = beat.certDaysRemaining.map { "\(one($0)) days" } ?? "?"
                let all = beat.certLifetimeDays.map { " of \(one($0))" } ?? ""
                return "\(left)\(all) left. \(beat.certError ?? "")"
            },
            measure: { beat, _ in
                beat.certDaysRemaining.map { 1 - $0 / max(beat.certLifetimeDays ?? 90, 0.01) }
            }),
        Rule(
            "memory", [Level(.warning, from: 90, until: 85), Level(.sev2, from: CriticalLimits.memory, until: 92)],
            holds: 120_000,
            title: { "\($0): memory is short" },
            detail: { beat, _ in
                "\(beat.ramPct.map(one) ?? "?") % used; the node process takes \(one(beat.rssMB ?? 0)) MB."
            },
            measure: { beat, _ in beat.ramPct }),
        Rule(
            "errors", [Level(.warning, from: 1, until: 0.7), Level(.sev2, from: 3, until: 2)], holds: 120_000,
            followsFrom: ["database", "read-only"],
            title: { "\($0): unusually many rejected or failed requests" },
            detail: { beat, reading in
                "\(beat.err1h) of \(beat.req1h) in the last hour; usual is \(one(100 * reading.usualErrors)) %."
            },
            // Compared with the node's own usual ratio, and never below a tenth: one failure in a quiet hour is not an
            // incident.
            measure: { beat, reading in
                beat.req1h < 50 ? 0 : Double(beat.err1h) / Double(beat.req1h) / max(4 * reading.usualErrors, 0.1)
            }),
        Rule(
            "clock", [Level(.warning, from: 10, until: 5), Level(.sev2, from: 30, until: 15)], holds: 60_000,
            title: { "\($0): the clock is off" },
            detail: {
                "It is off by \(one(Double($1.skew) / 1_000)) s. Codes, sessions and certificates depend on it."
            },
            measure: { Double($1.skew.magnitude) / 1_000 }),
        Rule(
            "backup", [Level(.warning, from: 36, until: 30), Level(.sev2, from: 72, until: 36)],
            title: { "\($0): no recent backup" },
            detail: { beat, _ in "The last backup is \(one(Double(beat.lastBackupAgeS ?? 0) / 3_600)) hours old." },
            measure: { beat, _ in beat.lastBackupAgeS.map { Double($0) / 3_600 } }),
        Rule(
            "drift", [.fact(.warning)], holds: 3_600_000,
            title: { "\($0) does not run what the fleet runs" },
            detail: { beat, reading in
                "Version \(beat.version ?? "?"), generation \(beat.nixGen); most nodes run \(reading.fleet.version ?? "?"), "
                    + "\(reading.fleet.generation.map(String.init) ?? "?")."
            },
            measure: { beat, reading in
                let isOther = reading.fleet.version.map { $0 != beat.version ?? $0 } ?? false
                let isElsewhere = reading.fleet.generation.map { $0 != beat.nixGen } ?? false
                return isOther || isElsewhere ? 1 : 0
            }),
        Rule(
            "ill", [.fact(.sev2)], holds: 60_000,
            followsFrom: ["audit", "certificate", "database", "disk", "memory", "read-only"],
            title: { "\($0) reports that it is unhealthy" },
            detail: { $1.beat.healthProblem ?? "" },
            measure: { $1.beat.healthProblem == nil ? 0 : 1 }),
        .down,
    ]

    /// Every name that an incident's rule can have.
    package static let names = ["silent", "flapping"] + MonitorProblem.rules + table.map(\.name)

    /// For clients that speak only Uptime Kuma's protocol.
    private static var down: Rule {
        var rule = Rule(
            "down", [.fact(.sev2)], title: { "\($0) reports that it is down" }, detail: { _, _ in "" },
            measure: { _, _ in nil })
        rule.measure = { $0.beat.body == nil ? ($0.beat.healthProblem == nil ? 0 : 1) : nil }
        rule.detail = { $0.beat.healthProblem ?? "" }
        return rule
    }

    private static func one(_ value: Double) -> String {
        guard value.magnitude < 1e12 else { return "?" }
        let tenths = Int64((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
    }
}
