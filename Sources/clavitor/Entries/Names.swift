import Wire

/// Titles, labels and agents' names for ids, as far as they are still known.
struct Names {
    private var titles: [String: String] = [:]
    private var labels: [String: String] = [:]
    private var agents: [String: String] = [:]

    /// Knows nothing.
    init() {}

    /// What the owner's vault has now: entries, trash, deposits and agents.
    init(_ signedIn: SignedIn) async throws {
        let finder = EntryFinder(signedIn: signedIn)
        for path in ["api/v1/entries", "api/v1/trash", "api/v1/deposits"] {
            for entry in try await finder.all(in: path) {
                titles[entry.id] = entry.title
                for field in entry.fields { labels[field.id] = field.label }
            }
        }
        for agent in try await AgentFinder(signedIn: signedIn).all() { agents[agent.id] = agent.name }
    }

    /// `Title/label`, with ids for what is gone.
    func place(_ entry: String?, _ field: String?) -> String {
        let names = [entry.map { titles[$0] ?? $0 }, field.map { labels[$0] ?? $0 }]
        return names.compactMap(\.self).joined(separator: "/")
    }

    func agent(_ id: String) -> String { agents[id] ?? id }
}
