import VaultFormat

extension Mutation {
    /// Bytes that the mutation adds to the file: its secret box, its row and its index entries.
    ///
    /// The triggers of the schema's `usage` table use the same figures. A test compares both with each other and with the growth of
    /// a file.
    package var bytesAtRest: Int {
        switch self {
        case .putValue(let value): RowSize.of(value.box, RowSize.value)
        case .putWrap(let wrap), .renewWrap(let wrap): RowSize.of(wrap.box, RowSize.wrap)
        case .insertEntry: RowSize.entry
        case .replaceTerms(_, _, let terms): RowSize.term * terms.count
        case .recordIdempotency(let answer): RowSize.of(answer.box, RowSize.answer)
        case .putL2Entry(let row): RowSize.of(row.box, RowSize.l2Entry)
        case .replaceEnvelope, .updateEntry, .putItem, .insertHolder, .insertCredential, .insertAgent, .updateAgent,
            .setAgentState, .upgradeWrap:
            0
        case .expectPrincipal, .expectReader, .expectEntry, .deleteEntry, .removePart, .deleteValues, .dropWrap,
            .dropAgentWraps, .dropItem, .switchAgent, .deleteAgent, .countUse, .countBytes, .expectDepositRoom,
            .stayWithin,
            .narrows:
            0
        case .insertAccount, .switchOwner, .beginL2Rekey, .finishL2Rekey, .deleteCredential, .keepCredential,
            .boxCredential, .acceptChallenge, .dropPasskeyL2Keys, .deleteCredentials, .deleteSessions, .touch,
            .redeemInvite, .putAbuse, .closeAccount:
            0
        }
    }
}

extension [Mutation] {
    /// Number of mutations from which on a commit is large and is not batched with others.
    private static let many = 600

    /// Whether the mutations change so many rows that they must not share a transaction with others.
    package var areMany: Bool {
        count > Self.many
            || contains { mutation in
                switch mutation {
                case .deleteEntry, .deleteAgent, .dropAgentWraps(_, nil, _, _): true
                case .deleteValues(let places): places.count > 50
                case .replaceTerms(_, _, let terms): terms.count > Self.many
                default: false
                }
            }
    }
}

/// Size of a row in bytes, besides its secret box.
package enum RowSize {
    /// Includes its part of the entry's record.
    package static let value = 248
    package static let wrap = 192
    package static let entry = 208
    /// Includes its part of the entry's record.
    package static let term = 160
    package static let answer = 128
    package static let l2Entry = 208
    /// A longer secret box has overflow pages of 8,192 bytes (https://www.sqlite.org/fileformat2.html, section 1.6).
    package static let mostInPlace = 1_970
    /// Unused space in the last overflow page and the row's start; more than half a page, so that usage is not underestimated.
    package static let overflow = 6_000

    static func of(_ box: [UInt8], _ row: Int) -> Int {
        row + box.count + (box.count > mostInPlace ? overflow : 0)
    }
}
