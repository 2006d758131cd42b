import Wire

extension FleetReport {
    /// Milliseconds of some eight thousand years.
    private static let longest: Int64 = 250_000_000_000_000

    /// Whether its numbers can be reckoned with: a difference of two such times, and a percentage as a whole number, fit.
    var isPlausible: Bool {
        let times =
            [now, timing.sev2] + nodes.flatMap { [$0.lastBeat, $0.skew].compactMap(\.self) }
            + maintenanceWindows.map(\.until)
        let sizes = nodes.compactMap(\.body).flatMap { body in
            [body.ramPct, body.diskPct, body.certDaysRemaining].compactMap(\.self)
        }
        return times.allSatisfy { (-Self.longest...Self.longest).contains($0) } && sizes.allSatisfy { abs($0) < 1e9 }
    }
}
