import Synchronization

/// What is wrong with the monitor itself, in words that name nobody: for the dead man's switch, `/readyz` and `check`.
package struct SelfCheck: Sendable {
    package let watch: Watch
    package let deliveries: @Sendable () async -> [String: DeliveryFigures]

    package init(watch: Watch, deliveries: @escaping @Sendable () async -> [String: DeliveryFigures]) {
        self.watch = watch
        self.deliveries = deliveries
    }

    /// Seconds. The delivery tries again at least this often.
    private static let longestWait = Double(RetryRule.longest)

    /// Empty when all is well.
    package func ills() async -> [String] {
        let waits = await deliveries().values.contains { $0.oldestWaiting > Self.longestWait }
        return watch.ills + (waits ? ["notifications wait for more than 15 minutes"] : [])
    }
}

extension Watch {
    /// Why it cannot do its work, should that be so.
    package var ills: [String] {
        let now = world.now()
        let (figures, lastLook, doubt) = state.withLock { state in
            (state.figures, state.lookedAt, state.judge.doubt(at: now))
        }
        return [
            figures.isStoreWell ? nil : "incidents cannot be written down",
            areBeatsWell.load(ordering: .relaxed) ? nil : "beats cannot be written down",
            now.steady - lastLook > 3 * timing.stall ? "the time is not looked at" : nil,
            doubt > timing.sev1 ? "its clock or its machine has not let it judge anybody for minutes" : nil,
        ].compactMap { $0 }
    }
}
