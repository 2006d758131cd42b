import Synchronization

/// Probes overdue nodes at their own addresses: a second observation before anyone is notified.
extension Watch {
    private static let maxConcurrentProbes = 16
    private static let maxProbes = 64

    /// Probes some of the overdue nodes, and passes the results to the evaluator.
    package func probeOverdueNodes() async {
        guard let probe = dependencies.probe else { return }
        let now = dependencies.now()
        let targets = state.withLock { state in
            state.evaluator.overdue(at: now).shuffled().prefix(Self.maxProbes).compactMap { name in
                state.locations[name]?.url.map { (name: name, url: $0 + "/readyz") }
            }
        }
        guard !targets.isEmpty else { return }
        let probeResults = await withTaskGroup(of: (String, Bool).self) { group in
            var probeResults: [String: Bool] = [:]
            for (index, node) in targets.enumerated() {
                if index >= Self.maxConcurrentProbes, let (name, isResponding) = await group.next() {
                    probeResults[name] = isResponding
                }
                group.addTask { (node.name, await probe(node.url)) }
            }
            for await (name, isResponding) in group { probeResults[name] = isResponding }
            return probeResults
        }
        let then = dependencies.now()
        state.withLock { $0.evaluator.note(probeResults: probeResults, at: then) }
    }
}
