package import Wire

extension Heartbeat {
    /// Why the node knows itself that it is ill, in a few words each. Empty for a healthy one.
    ///
    /// Our monitor judges the figures by its own table; a stock Uptime Kuma never sees them, so that the node must say
    /// it. Only what needs a person now is here, and each limit stands where our table has its highest severity.
    package var ills: [String] {
        var ills: [String] = []
        if dbIntegrity != "ok" { ills.append("database damaged: \(dbIntegrity)") }
        if auditOK == false { ills.append("audit chain broken") }
        if readOnly == true { ills.append("read-only") }
        if let days = certDaysRemaining, days < Self.leastDays(of: certLifetimeDays) {
            ills.append(days > 0 ? "certificate ends in \(days) days" : "certificate has ended")
        }
        if let diskPct, diskPct >= CriticalLimits.disk { ills.append("disk \(diskPct) % full") }
        if let ramPct, ramPct >= CriticalLimits.memory { ills.append("memory \(ramPct) % used") }
        return ills
    }

    /// What the limit leaves of the lifetime and two days at least, but never more than half a lifetime: a certificate for a day
    /// would be at its end from its first hour.
    private static func leastDays(of lifetime: Double?) -> Double {
        guard let lifetime, lifetime > 0 else { return 2 }
        return max(lifetime - lifetime * CriticalLimits.certificate, min(2, lifetime / 2))
    }
}
