import FoundationEssentials

/// The JSON inside the boxes: `docs/FORMAT.md`, "Plaintexts". Field names are part of the format.
struct TitleText: Codable, Equatable {
    var title: String
    var type: EntryType
}

struct DetailsText: Codable, Equatable {
    var urls: [String] = []
    var tags: [String] = []
    var notes = ""
    var fields: [Field] = []

    struct Field: Codable, Equatable {
        var id: String
        var label: String
        var kind: FieldKind
        var tier: UInt8
    }
}

/// An L1 value with its label, so that an agent granted one field learns that label and no other.
struct ValueText: Codable, Equatable {
    var label: String
    var kind: FieldKind
    var value: String
}

/// An agent's name and grants: the owner's, because they hold tags and ids.
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
