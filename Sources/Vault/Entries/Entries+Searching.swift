import Crypto
import Encoding
import VaultFormat

extension Entries {
    /// What to look for. All that is given must match.
    package struct Query: Sendable {
        /// Words in the title, the labels, and for the owner in URLs, tags and notes; without case.
        package var text: String?
        package var tag: String?
        package var host: String?
        /// Whole titles, without case, of which one must match; empty for any. Stands alone.
        package var titles: [String]

        package init(text: String? = nil, tag: String? = nil, host: String? = nil, titles: [String] = []) {
            self.titles = titles
            self.text = text
            self.tag = tag
            self.host = host
        }
    }

    /// Looks through the metadata that the principal may see.
    ///
    /// The owner's hosts and tags come from the blind index, his text search opens every title. An agent has no
    /// index: it filters what it holds, by text alone.
    package func search(
        _ query: Query, after order: Int64 = 0, limit: Int, as principal: Principal
    ) async throws -> (entries: [EntryView], next: Int64?) {
        try principal.authorize(.search, at: now())
        guard query.hasSize else { throw VaultError.invalid("text", "must have at most \(Query.mostText) bytes") }
        let words = query.words
        guard words.count <= Query.mostWords else {
            throw VaultError.invalid("text", "must have at most \(Query.mostWords) different words")
        }
        guard query.titles.isEmpty else { return try await search(query, limit: limit, after: order, as: principal) }
        if query.tag != nil || query.host != nil {
            guard case .permit = PolicyEngine.evaluate(principal, .searchIndex, at: now()) else {
                throw VaultError.invalid("tag", "an agent searches by text only")
            }
        }
        return try await work.run(as: principal, in: store) {
            var terms: [[UInt8]] = []
            if query.tag != nil || query.host != nil {
                let index = try await index(as: principal)
                if let tag = query.tag { terms.append(index.term(tag: tag)) }
                if let host = query.host { terms.append(index.term(host: BlindIndex.host(of: host) ?? host)) }
            }
            return try await find(after: order, limit: limit, as: principal, among: { $0.contains(words) }) {
                order, limit in
                terms.isEmpty
                    ? try await store.entries(
                        in: principal.vault, for: Reader(principal), state: .active, after: order, limit: limit)
                    : try await store.entries(
                        in: principal.vault, for: Reader(principal), terms: terms, after: order, limit: limit)
            }
        }
    }
}

extension Entries {
    /// By title: an owner's through the index, whatever the vault's size; `order` counts what was looked at. An agent's
    /// through what it holds.
    private func search(
        _ query: Query, limit: Int, after order: Int64, as principal: Principal
    ) async throws -> (entries: [EntryView], next: Int64?) {
        guard query.text == nil, query.tag == nil, query.host == nil else {
            throw VaultError.invalid("titles", "stands alone")
        }
        guard query.titles.count <= Query.mostTitles else {
            throw VaultError.invalid("titles", "must be at most \(Query.mostTitles)")
        }
        let titles = Set(query.titles.map(\.caseless))
        return try await work.run(as: principal, in: store) {
            guard principal.visibility == .wholeVault else {
                return try await find(
                    after: order, limit: limit, as: principal, among: { titles.contains($0.title.caseless) }
                ) { order, limit in
                    try await store.entries(
                        in: principal.vault, for: Reader(principal), state: .active, after: order, limit: limit)
                }
            }
            let index = try await index(as: principal)
            var ids: Set<EntryID> = []
            for title in titles {
                ids.formUnion(try await store.entryIDs(in: principal.vault, term: index.term(title: title)))
            }
            let most = PageLimit(rows: limit)
            var (found, bytes): ([EntryView], Int) = ([], 0)
            let sorted = ids.sorted()
            for (index, id) in sorted.enumerated().dropFirst(Int(clamping: order)) {
                try Task.checkCancellation()
                try await WorkQueue.breathe()
                guard let stored = try await store.entry(id, in: principal.vault, for: Reader(principal)) else {
                    continue
                }
                let open = try OpenEntry(stored, by: principal, in: self)
                let view = open.view
                guard titles.contains(view.title.caseless) else { continue }
                found.append(view)
                bytes += max(open.byteCount, view.answerByteCount)
                if found.count == most.rows || bytes >= most.bytes {
                    return (found, index + 1 < sorted.count ? Int64(index + 1) : nil)
                }
            }
            return (found, nil)
        }
    }
}

extension Entries.Query {
    /// Bytes of each part of a query.
    fileprivate static let mostText = 1_024
    /// Each is looked for in everything that is read.
    fileprivate static let mostWords = 16
    /// As many as one request looks up.
    package static let mostTitles = 64

    fileprivate var hasSize: Bool {
        ([text, tag, host] + titles).allSatisfy { ($0?.utf8.count ?? 0) <= Self.mostText }
    }

    /// All of them must be found, in UTF-8.
    fileprivate var words: Set<[UInt8]> {
        Set((text ?? "").caseless.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) })
    }
}

extension EntryView {
    fileprivate func contains(_ words: Set<[UInt8]>) -> Bool {
        if words.isEmpty { return true }
        var haystack = [title] + fields.map(\.label)
        if let details { haystack += details.urls + details.tags + [details.notes] }
        let all = Array(haystack.joined(separator: "\n").caseless.utf8)
        return words.allSatisfy { all.holds($0) }
    }
}

extension [UInt8] {
    /// Whether `word`, which is not empty, is somewhere in these bytes. In time linear in both lengths (Knuth, Morris and
    /// Pratt): the standard library's search takes their product, and both come from a principal.
    fileprivate func holds(_ word: [UInt8]) -> Bool {
        // Of each beginning of the word, the length of the longest shorter beginning that it ends with.
        var borders = [0]
        var border = 0
        for byte in word.dropFirst() {
            while border > 0, word[border] != byte { border = borders[border - 1] }
            if word[border] == byte { border += 1 }
            borders.append(border)
        }
        var matched = 0
        for byte in self {
            while matched > 0, word[matched] != byte { matched = borders[matched - 1] }
            if word[matched] == byte { matched += 1 }
            if matched == word.count { return true }
        }
        return false
    }
}
