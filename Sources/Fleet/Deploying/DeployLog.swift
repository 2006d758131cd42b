import Synchronization

/// Records the events of a running deploy: in the journal first, then in the display.
package final class DeployLog: Sendable {
    private let journal: any DeployJournal
    private let now: @Sendable () -> Int64
    private let show: @Sendable (DeployEvent) -> Void
    private let progress: Mutex<DeployProgress>

    package init(
        _ journal: any DeployJournal, after progress: DeployProgress = .init(), now: @escaping @Sendable () -> Int64,
        show: @escaping @Sendable (DeployEvent) -> Void = { _ in }
    ) {
        self.journal = journal
        self.now = now
        self.show = show
        self.progress = Mutex(progress)
    }

    package var outcomes: [String: DeployEvent.Kind] { progress.withLock { $0.outcomes } }

    /// The first failure.
    var why: String? { progress.withLock { $0.why } }

    func write(
        _ kind: DeployEvent.Kind, node: String? = nil, text: String? = nil, maintenanceWindow: Int64? = nil,
        plan: DeployPlan? = nil, result: DeployResult? = nil
    ) throws {
        let event = DeployEvent(
            kind, at: now(), node: node, text: text, maintenanceWindow: maintenanceWindow, plan: plan, result: result)
        try journal.append(event)
        progress.withLock { $0.apply(event) }
        show(event)
    }

    /// Writes the first event of a journal.
    package func write(_ plan: DeployPlan) throws { try write(.planned, plan: plan) }
}
