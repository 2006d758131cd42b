import Synchronization

/// Nodes that are overdue are asked where they serve: a reading from the other side, before anybody is called.
extension Watch {
    private static let mostAtOnce = 16
    private static let most = 64

    /// Asks some of those that are overdue, and hands the answers to the judge.
    package func askOverdue() async {
        guard let asks = world.asks else { return }
        let now = world.now()
        let urls = state.withLock { state in
            state.judge.overdue(at: now).shuffled().prefix(Self.most).compactMap { name in
                state.places[name]?.url.map { (name: name, url: $0 + "/readyz") }
            }
        }
        guard !urls.isEmpty else { return }
        let answers = await withTaskGroup(of: (String, Bool).self) { group in
            var answers: [String: Bool] = [:]
            for (index, node) in urls.enumerated() {
                if index >= Self.mostAtOnce, let (name, isThere) = await group.next() { answers[name] = isThere }
                group.addTask { (node.name, await asks(node.url)) }
            }
            for await (name, isThere) in group { answers[name] = isThere }
            return answers
        }
        let then = world.now()
        state.withLock { $0.judge.note(answers: answers, at: then) }
    }
}
