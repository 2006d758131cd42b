import Wire

/// Maps ids to titles and labels that still exist.
struct Names {
    private var titles: [String: String] = [:]
    private var labels: [String: String] = [:]

    /// An empty map.
    init() {}

    /// The names in the owner's vault: entries, trash and deposits.
    init(_ signedIn: SignedIn) async throws {
        let finder = EntryFinder(signedIn: signedIn)
        for path in ["api/v1/entries", "api/v1/trash", "api/v1/deposits"] {
            for entry in try await finder.all(in: path) {
                titles[entry.id] = entry.title
                for field in entry.fields { labels[field.id] = field.label }
            }
        }
    }

    /// `Title/label`, with ids in place of unknown names.
    func place(_ entry: String?, _ field: String?) -> String {
        let names = [entry.map { titles[$0] ?? $0 }, field.map { labels[$0] ?? $0 }]
        return names.compactMap(\.self).joined(separator: "/")
    }
}
