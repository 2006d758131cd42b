package import VaultFormat

/// An entry's metadata as visible to a principal, without values.
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
    /// Nil for an agent: details are visible to the owner only.
    package var details: Details?
    /// In the owner's order; for an agent only the granted fields.
    package var fields: [FieldView]
    /// The depositor of a deposit.
    package var depositor: PrincipalID?
    /// The key of its L2 values, for the owner.
    package var l2: L2EntryRow?
    /// Position in lists.
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
    /// Created by an agent and not yet accepted by the owner.
    case deposit = 2
}

/// A field's content, for an authorized principal.
package struct FieldContent: Equatable, Sendable {
    package var field: EntryView.FieldView
    package var content: Content

    package enum Content: Equatable, Sendable {
        case value(String)
        /// L2: the client's secret box.
        case envelope([UInt8])
    }
}

/// A version in an entry's history.
package struct EntryVersion: Equatable, Sendable {
    package var version: Int
    /// Unix seconds.
    package var at: Int64
    package var by: PrincipalID
    /// The fields whose value, label or kind was written in this version.
    package var fields: [FieldID]
}

extension EntryView {
    /// Size of the texts as JSON, where a control character takes six bytes; for the limit of a page.
    var answerByteCount: Int {
        var texts = [title] + fields.map(\.label)
        if let details { texts += details.urls + details.tags + [details.notes] }
        return texts.reduce(64 * (fields.count + 1) + (l2?.box.count ?? 0) * 4 / 3) { count, text in
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
