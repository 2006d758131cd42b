import Wire

extension FleetReport {
    /// Milliseconds of about eight thousand years.
    private static let maximumTime: Int64 = 250_000_000_000_000

    /// Whether arithmetic with its numbers cannot overflow: differences of times, and percentages as whole numbers.
    package var isPlausible: Bool {
        let times =
            [now, timing.sev2] + nodes.flatMap { [$0.lastBeat, $0.skew].compactMap(\.self) }
            + maintenanceWindows.map(\.until)
        let sizes = nodes.compactMap(\.body).flatMap { body in
            [body.ramPct, body.diskPct, body.certDaysRemaining].compactMap(\.self)
        }
        return times.allSatisfy { (-Self.maximumTime...Self.maximumTime).contains($0) }
            && sizes.allSatisfy { abs($0) < 1e9 }
    }
}
