import Encoding
import FoundationEssentials
import VaultFormat

/// What secret boxes hold: `docs/FORMAT.md`, "Plaintexts". Padded, so that a file shows lengths by steps only.
protocol Plaintext {
    func content() throws -> [UInt8]
    init(content: [UInt8]) throws
}

extension Plaintext {
    /// - Throws: `VaultError.invalid` for more than a part of an entry may have.
    func plaintext() throws -> [UInt8] {
        let content = try content()
        guard content.count <= EntryLimits.part else {
            throw VaultError.invalid("entry", "must have at most \(EntryLimits.part) bytes of metadata as JSON")
        }
        return PaddedPlaintext.encode(content)
    }

    /// - Throws: `VaultError.damaged`.
    init(plaintext: [UInt8]) throws {
        guard let content = PaddedPlaintext.decode(plaintext) else {
            throw VaultError.damaged("a plaintext whose padding is none")
        }
        try self.init(content: content)
    }
}

/// JSON, whose member names are part of the format.
extension Plaintext where Self: Codable {
    func content() throws -> [UInt8] { try jsonBytes() }
    init(content: [UInt8]) throws { try self.init(jsonBytes: content) }
}

struct TitleText: Plaintext, Codable, Equatable {
    var title: String
    var type: EntryType
}

struct DetailsText: Plaintext, Codable, Equatable {
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

/// The text of an L1 value.
struct ValueText: Plaintext, Equatable {
    var value: String

    init(value: String) { self.value = value }

    func content() -> [UInt8] { Array(value.utf8) }

    init(content: [UInt8]) throws {
        guard let value = String(validating: content, as: UTF8.self) else {
            throw VaultError.damaged("a value that is no text")
        }
        self.value = value
    }
}

/// Label and kind of an L1 field, so that an agent granted one field learns that label and no other.
///
/// Binary, as it is in every read: the kind's length in 1 byte, kind, label.
struct AboutText: Plaintext, Equatable {
    var label: String
    var kind: FieldKind

    init(label: String, kind: FieldKind) {
        self.label = label
        self.kind = kind
    }

    func content() -> [UInt8] {
        let kind = Array(kind.rawValue.utf8)
        return [UInt8(kind.count)] + kind + Array(label.utf8)
    }

    init(content: [UInt8]) throws {
        let count = Int(content.first ?? 0)
        guard content.count > count,
            let name = String(validating: content[1...count], as: UTF8.self), let kind = FieldKind(rawValue: name),
            let label = String(validating: content[(count + 1)...], as: UTF8.self)
        else { throw VaultError.damaged("a field's label and kind that are none") }
        self.init(label: label, kind: kind)
    }
}

/// An agent's name and grants. Encrypted for the owner, because they contain tags and ids.
struct AgentText: Plaintext, Codable, Equatable {
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
