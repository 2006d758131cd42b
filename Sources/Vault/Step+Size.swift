extension Step {
    /// Bytes that the step adds to the file: what is boxed, and its row with its places in the indexes.
    ///
    /// The same figures stand in the schema, which counts what is there (`usage`); a test compares them, and both with the
    /// growth of a file.
    package var bytesAtRest: Int {
        switch self {
        case .putValue(let value): RowSize.value + value.box.count
        case .putWrap(let wrap), .renewWrap(let wrap): RowSize.wrap + wrap.box.count
        case .insertEntry: RowSize.entry
        case .replaceTerms(_, _, let terms): RowSize.term * terms.count
        case .rememberAnswer(let answer): RowSize.answer + answer.box.count
        case .replaceEnvelope, .updateEntry, .putItem, .insertHolder, .insertCredential, .insertAgent, .updateAgent,
            .setAgentState, .settleWrap:
            0
        case .expectCaller, .expectEntry, .deleteEntry, .removeField, .deleteValues, .dropWrap, .dropAgentWraps,
            .dropItem,
            .deleteAgent, .countUse, .countBytes, .expectDepositRoom, .stayWithin:
            0
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
}
