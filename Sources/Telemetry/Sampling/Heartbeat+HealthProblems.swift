package import Wire

extension Heartbeat {
    /// Health problems that the node detects in its own values, in a few words each. Empty for a healthy node.
    ///
    /// Our monitor evaluates the values by its own rules; a stock Uptime Kuma never sees them, so the node must report
    /// problems itself. Only what needs immediate action is here, with the limits of the highest severities in the
    /// monitor's rules.
    package var healthProblems: [String] {
        var healthProblems: [String] = []
        if dbIntegrity != "ok" { healthProblems.append("database damaged: \(dbIntegrity)") }
        if auditOK == false { healthProblems.append("audit chain broken") }
        if readOnly == true { healthProblems.append("read-only") }
        if let days = certDaysRemaining, days < Self.leastDays(of: certLifetimeDays) {
            healthProblems.append(days > 0 ? "certificate expires in \(days) days" : "certificate has expired")
        }
        if let diskPct, diskPct >= CriticalLimits.disk { healthProblems.append("disk \(diskPct) % full") }
        if let ramPct, ramPct >= CriticalLimits.memory { healthProblems.append("memory \(ramPct) % used") }
        return healthProblems
    }

    /// The rest of the lifetime at the limit and two days at least, but never more than half a lifetime: a one-day
    /// certificate would be at its limit from its first hour.
    private static func leastDays(of lifetime: Double?) -> Double {
        guard let lifetime, lifetime > 0 else { return 2 }
        return max(lifetime - lifetime * CriticalLimits.certificate, min(2, lifetime / 2))
    }
}
