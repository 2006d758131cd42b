package import VaultFormat

/// An entry as its principal may see it: metadata, never a value.
package struct EntryView: Equatable, Sendable {
    package var id: EntryID
    package var version: Int
    package var state: EntryState
    /// Unix seconds.
    package var created: Int64
    package var updated: Int64
    package var deleted: Int64?
    package var title: String
    package var type: EntryType
    /// Nil for an agent: details are the owner's.
    package var details: Details?
    /// The owner's in their order; for an agent the granted ones.
    package var fields: [FieldView]
    /// Who left it, while it is a deposit.
    package var depositor: HolderID?
    /// Where a list goes on.
    package var order: Int64

    package struct Details: Equatable, Sendable {
        package var urls: [String]
        package var tags: [String]
        package var notes: String
    }

    package struct FieldView: Equatable, Sendable {
        package var id: FieldID
        package var label: String
        package var kind: FieldKind
        package var tier: Tier
        /// The entry's version in which the value was last written.
        package var version: Int
    }
}

package enum EntryState: Int, Sendable {
    case active = 0
    case trashed = 1
    /// Left by an agent, not yet accepted by the owner.
    case deposit = 2
}

/// What a field holds, given back to somebody who may have it.
package struct FieldContent: Equatable, Sendable {
    package var field: EntryView.FieldView
    package var content: Content

    package enum Content: Equatable, Sendable {
        case value(String)
        /// L2: the client's own box.
        case envelope([UInt8])
    }
}

/// One step in an entry's history.
package struct EntryVersion: Equatable, Sendable {
    package var version: Int
    /// Unix seconds.
    package var at: Int64
    package var by: HolderID
    /// The fields written in it; the title and the details are not listed.
    package var fields: [FieldID]
}

extension EntryView {
    /// Bytes that its texts take as JSON, where a control character takes six: what a page is measured by.
    var answerByteCount: Int {
        var texts = [title] + fields.map(\.label)
        if let details { texts += details.urls + details.tags + [details.notes] }
        return texts.reduce(64 * (fields.count + 1)) { count, text in
            text.utf8.reduce(count + 8) { count, byte in
                switch byte {
                case 0..<0x20: count + 6
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): count + 2
                default: count + 1
                }
            }
        }
    }
}
