import Crypto

extension Entries {
    /// What to look for. All that is given must match.
    package struct Query: Sendable {
        /// Words in the title, the labels, and for the owner in URLs, tags and notes; without case.
        package var text: String?
        package var tag: String?
        package var host: String?

        package init(text: String? = nil, tag: String? = nil, host: String? = nil) {
            self.text = text
            self.tag = tag
            self.host = host
        }
    }

    /// Looks through the metadata that the caller may see.
    ///
    /// The owner's hosts and tags come from the blind index, his text search opens every title. An agent has no
    /// index: it filters what it holds, by text alone.
    package func search(
        _ query: Query, after order: Int64 = 0, limit: Int, as caller: Caller
    ) async throws -> (entries: [EntryView], next: Int64?) {
        var terms: [[UInt8]] = []
        if query.tag != nil || query.host != nil {
            guard caller.isOwner else { throw VaultError.invalid("tag", "an agent searches by text only") }
            let index = try await index(as: caller)
            if let tag = query.tag { terms.append(index.term(tag: tag)) }
            if let host = query.host { terms.append(index.term(host: BlindIndex.host(of: host) ?? host)) }
        }
        var found: [EntryView] = []
        var order = order
        while found.count < limit {
            let stored =
                terms.isEmpty
                ? try await store.entries(
                    in: caller.vault, for: caller.holder.id, state: .active, after: order, limit: Self.searchPage)
                : try await store.entries(
                    in: caller.vault, for: caller.holder.id, terms: terms, after: order, limit: Self.searchPage)
            for entry in stored {
                let view = try OpenEntry(entry, by: caller, root: keys.root).view
                order = view.order
                if query.matches(view) { found.append(view) }
                if found.count == limit { return (found, order) }
            }
            if stored.count < Self.searchPage { return (found, nil) }
        }
        return (found, order)
    }

    private static let searchPage = 200
}

extension Entries.Query {
    fileprivate func matches(_ view: EntryView) -> Bool {
        guard let text else { return true }
        var haystack = [view.title] + view.fields.map(\.label)
        if let details = view.details { haystack += details.urls + details.tags + [details.notes] }
        let all = haystack.joined(separator: "\n").lowercased()
        return text.lowercased().split(whereSeparator: \.isWhitespace).allSatisfy { all.contains($0) }
    }
}
