import Encoding
package import VaultFormat

/// An agent's grants as hash tables with case-folded names, for matching thousands of fields.
package struct GrantIndex: Sendable {
    private var entries: [EntryID: Scope] = [:]
    private var tags: [String: Scope] = [:]

    /// The part of an entry that the grants cover.
    package struct Scope: Sendable {
        fileprivate var isWhole = false
        fileprivate var fields: Set<String> = []
        fileprivate var labels: Set<String> = []

        package func covers(field: FieldID, label: String) -> Bool {
            isWhole || (!fields.isEmpty && fields.contains(field.text))
                || (!labels.isEmpty && labels.contains(label.caseless))
        }

        fileprivate func isWithin(_ other: Scope) -> Bool {
            other.isWhole || (!isWhole && fields.isSubset(of: other.fields) && labels.isSubset(of: other.labels))
        }

        fileprivate mutating func formUnion(_ other: Scope) {
            isWhole = isWhole || other.isWhole
            fields.formUnion(other.fields)
            labels.formUnion(other.labels)
        }
    }

    package init(_ grants: [Grant]) {
        for grant in grants {
            var scope = Scope(isWhole: grant.only == nil)
            switch grant.scope {
            case .entry(let id):
                scope.fields = Set(grant.only ?? [])
                entries[id, default: Scope()].formUnion(scope)
            case .tag(let tag):
                scope.labels = Set((grant.only ?? []).map(\.caseless))
                tags[tag.caseless, default: Scope()].formUnion(scope)
            }
        }
    }

    /// Whether the grants cover nothing that `other` does not, even if entries' tags change.
    func isWithin(_ other: GrantIndex) -> Bool {
        entries.allSatisfy { $1.isWithin(other.entries[$0] ?? Scope()) }
            && tags.allSatisfy { $1.isWithin(other.tags[$0] ?? Scope()) }
    }

    package func scope(of entry: EntryID, tags: [String]) -> Scope {
        var scope = entries[entry] ?? Scope()
        for tag in tags { if let more = self.tags[tag.caseless] { scope.formUnion(more) } }
        return scope
    }
}
