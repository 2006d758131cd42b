import Synchronization

/// Where a running deploy says what it does: the journal first, then whoever watches.
package final class DeployLog: Sendable {
    private let journal: any DeployJournal
    private let now: @Sendable () -> Int64
    private let watch: @Sendable (DeployEvent) -> Void
    private let progress: Mutex<DeployProgress>

    package init(
        _ journal: any DeployJournal, after progress: DeployProgress = .init(), now: @escaping @Sendable () -> Int64,
        watch: @escaping @Sendable (DeployEvent) -> Void = { _ in }
    ) {
        self.journal = journal
        self.now = now
        self.watch = watch
        self.progress = Mutex(progress)
    }

    package var outcomes: [String: DeployEvent.Kind] { progress.withLock { $0.outcomes } }

    /// The first thing that went wrong.
    var why: String? { progress.withLock { $0.why } }

    func write(
        _ kind: DeployEvent.Kind, node: String? = nil, text: String? = nil, lease: Int64? = nil,
        plan: DeployPlan? = nil, result: DeployResult? = nil
    ) throws {
        let event = DeployEvent(
            kind, at: now(), node: node, text: text, lease: lease, plan: plan, result: result)
        try journal.append(event)
        progress.withLock { $0.take(event) }
        watch(event)
    }

    /// The first line of every journal.
    package func write(_ plan: DeployPlan) throws { try write(.planned, plan: plan) }
}
