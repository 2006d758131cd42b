import Crypto
import Encoding
import VaultFormat

extension Entries {
    /// A search query. All given parts must match.
    package struct Query: Sendable {
        /// Words in title, labels and, for the owner, URLs, tags and notes; case-insensitive.
        package var text: String?
        package var tag: String?
        package var host: String?
        /// Complete titles, case-insensitive, of which one must match; empty for any. Excludes the other parts.
        package var titles: [String]

        package init(text: String? = nil, tag: String? = nil, host: String? = nil, titles: [String] = []) {
            self.titles = titles
            self.text = text
            self.tag = tag
            self.host = host
        }
    }

    /// Searches the metadata that the principal can read.
    ///
    /// For the owner hosts and tags are looked up in the blind index, and a text search decrypts every title. An agent has no index:
    /// its search filters the fields that it can open, by text only.
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
                throw VaultError.invalid("tag", "must be absent: an agent can search by text only")
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
    /// Searches by title. For the owner it uses the index, so the cost does not depend on the vault's size, and `order` is an offset.
    /// For an agent it filters the entries that it can read.
    private func search(
        _ query: Query, limit: Int, after order: Int64, as principal: Principal
    ) async throws -> (entries: [EntryView], next: Int64?) {
        guard query.text == nil, query.tag == nil, query.host == nil else {
            throw VaultError.invalid("titles", "must be the only criterion")
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
                try await WorkQueue.yieldIfNeeded()
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
    /// Maximum bytes of each part of a query.
    fileprivate static let mostText = 1_024
    /// Maximum number of words, each of which is searched in everything that is read.
    fileprivate static let mostWords = 16
    /// Maximum number of titles in a request.
    package static let mostTitles = 64

    fileprivate var hasSize: Bool {
        ([text, tag, host] + titles).allSatisfy { ($0?.utf8.count ?? 0) <= Self.mostText }
    }

    /// The query's words in UTF-8, all of which must match.
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
        return words.allSatisfy { all.contains(sequence: $0) }
    }
}

extension [UInt8] {
    /// Whether the bytes contain the non-empty `word`. Takes time linear in both lengths (Knuth–Morris–Pratt): the standard
    /// library's search takes their product, and both are client input.
    fileprivate func contains(sequence word: [UInt8]) -> Bool {
        // For each prefix of the word, the length of its longest proper prefix that is also a suffix.
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
