import VaultFormat

extension Mutation {
    /// Bytes that the mutation adds to the file: what is boxed, and its row with its places in the indexes.
    ///
    /// The same figures stand in the schema, which counts what is there (`usage`); a test compares them, and both with the
    /// growth of a file.
    package var bytesAtRest: Int {
        switch self {
        case .putValue(let value): RowSize.of(value.box, RowSize.value)
        case .putWrap(let wrap), .renewWrap(let wrap): RowSize.of(wrap.box, RowSize.wrap)
        case .insertEntry: RowSize.entry
        case .replaceTerms(_, _, let terms): RowSize.term * terms.count
        case .recordIdempotency(let answer): RowSize.of(answer.box, RowSize.answer)
        case .replaceEnvelope, .updateEntry, .putItem, .insertHolder, .insertCredential, .insertAgent, .updateAgent,
            .setAgentState, .upgradeWrap:
            0
        case .expectPrincipal, .expectWrap, .expectEntry, .deleteEntry, .removeField, .deleteValues, .dropWrap,
            .dropAgentWraps, .dropItem, .deleteAgent, .countUse, .countBytes, .expectDepositRoom, .stayWithin,
            .narrows:
            0
        case .insertAccount, .switchOwner, .deleteCredential, .deleteCredentials, .deleteSessions,
            .deleteSessionsExpired, .touch, .redeemInvite, .putAbuse, .closeAccount:
            0
        }
    }
}

extension [Mutation] {
    /// Mutations from which on a commit is large: others do not wait for several of them at once.
    private static let many = 600

    /// Whether they change so many rows that they had better share no transaction.
    package var areMany: Bool {
        count > Self.many
            || contains { mutation in
                switch mutation {
                case .deleteEntry, .deleteAgent, .dropAgentWraps(_, nil, _): true
                case .deleteValues(let places): places.count > 50
                case .replaceTerms(_, _, let terms): terms.count > Self.many
                default: false
                }
            }
    }
}

/// What a row takes besides what is boxed in it, in bytes.
package enum RowSize {
    package static let value = 192
    package static let wrap = 192
    package static let entry = 160
    package static let term = 144
    package static let answer = 128
    /// A longer box stands in pages of its own, of 8,192 bytes (https://www.sqlite.org/fileformat2.html, section 1.6).
    package static let mostInPlace = 1_970
    /// What of the last of them is empty, and the row's beginning; more than half a page, so that nobody pays too little.
    package static let overflow = 6_000

    static func of(_ box: [UInt8], _ row: Int) -> Int {
        row + box.count + (box.count > mostInPlace ? overflow : 0)
    }
}
