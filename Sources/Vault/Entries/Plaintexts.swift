import Encoding
import FoundationEssentials
import VaultFormat

/// The JSON inside the secret boxes: `docs/FORMAT.md`, "Plaintexts". Member names are part of the format.
struct TitleText: Codable, Equatable {
    var title: String
    var type: EntryType
}

struct DetailsText: Codable, Equatable {
    var urls: [String] = []
    var tags: [String] = []
    var notes = ""
    var fields: [Field] = []

    struct Field: Codable, Hashable {
        var id: String
        var label: String
        var kind: FieldKind
        var tier: UInt8
    }

    /// Whether the details contain less than the other's, and nothing that the other's do not.
    func narrows(_ other: DetailsText) -> Bool {
        let (mine, theirs) = (Set(fields), Set(other.fields))
        let (myTags, theirTags) = (Set(tags.map(\.caseless)), Set(other.tags.map(\.caseless)))
        guard mine.isSubset(of: theirs), myTags.isSubset(of: theirTags), Set(urls).isSubset(of: other.urls),
            notes == other.notes || notes.isEmpty, tags.count <= other.tags.count, urls.count <= other.urls.count
        else { return false }
        return mine != theirs || myTags != theirTags || Set(urls).count < Set(other.urls).count || notes != other.notes
    }
}

/// An L1 value with its label, so that an agent granted one field learns that label and no other.
struct ValueText: Codable, Equatable {
    var label: String
    var kind: FieldKind
    var value: String
}

/// An agent's name and grants. Encrypted for the owner, because they contain tags and ids.
struct AgentText: Codable, Equatable {
    var name: String
    var grants: [Grant]
}

extension Encodable {
    /// UTF-8 JSON with sorted keys.
    func jsonBytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}

extension Decodable {
    init(jsonBytes: [UInt8]) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(jsonBytes))
    }
}
