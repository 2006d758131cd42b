import TOMLKit

/// The keys of each table of the inventory, and the types of their values: the same as in nix/problems.nix.
struct InventorySchema {
    /// The type's name in messages, with its article.
    enum Kind: String {
        case text = "a string"
        case whole = "an integer"
        case number = "a number"
        case texts = "an array of strings"
        case truth = "a boolean"
        case table = "a table"
        case tables = "an array of tables"
    }

    let needed: [String: Kind]
    var optional: [String: Kind] = [:]

    static let inventory = InventorySchema(
        needed: ["break-glass": .table, "fleet": .table, "node": .tables, "provider": .table, "tier": .table],
        optional: [
            "backup": .table, "channel": .tables, "dns": .table, "job": .tables, "notify": .table,
            "operator": .tables, "route": .tables,
        ])
    static let fleet = InventorySchema(
        needed: ["acme-contact": .texts, "monitor": .text, "network": .text, "port": .whole])
    static let breakGlass = InventorySchema(
        needed: ["from": .texts, "ssh-key": .text], optional: ["enabled": .truth])
    static let backup = InventorySchema(
        needed: [:],
        optional: ["enabled": .truth, "every": .text, "keep": .text, "recipients": .texts, "target": .text])
    static let notify = InventorySchema(needed: [:], optional: ["dead-man": .truth, "enabled": .truth])
    static let job = InventorySchema(needed: ["every": .text, "name": .text], optional: ["push-token": .text])
    static let provider = InventorySchema(needed: ["disk": .text, "root": .text], optional: ["esp": .text])
    static let tier = InventorySchema(
        needed: ["usd": .number], optional: ["disk-gb": .whole, "memory-mb": .whole, "transfer-gb": .whole])
    static let peer = InventorySchema(
        needed: ["address": .text, "name": .text, "public-key": .text, "ssh-key": .text],
        optional: ["monitor-token": .text])
    static let node = InventorySchema(
        needed: Dictionary(uniqueKeysWithValues: Node.CodingKeys.needed.map { ($0.rawValue, kind(of: $0)) }),
        optional: [
            "disk": .text, "esp": .text, "ipv6": .text, "push-token": .text, "registration": .text, "root": .text,
        ])
    static let dns = InventorySchema(
        needed: ["floor": .whole, "nearest": .text, "provider": .text, "ttl": .whole, "zone": .text],
        optional: [
            "health-file": .text, "key-file": .text, "server": .text, "token-file": .text, "zone-id": .text,
        ])

    private static func kind(of key: Node.CodingKeys) -> Kind {
        key == .latitude || key == .longitude ? .number : .text
    }

    /// The label is the table's name in messages.
    func problems(of value: (any TOMLValueConvertible)?, _ label: String) -> [String] {
        guard let table = value?.table else { return ["\(label) must be a table"] }
        let kinds = needed.merging(optional) { kind, _ in kind }
        let keys = table.keys.sorted()
        return needed.keys.sorted().filter { !keys.contains($0) }.map { "\(label) must have the key \($0)" }
            + keys.filter { kinds[$0] == nil }.map { "\(label) has an unknown key, \($0)" }
            + keys.compactMap { key in
                guard let kind = kinds[key], let value = table[key], !kind.fits(value) else { return nil }
                return "\(label)'s \(key) must be \(kind.rawValue)"
            }
    }
}

extension InventorySchema.Kind {
    fileprivate func fits(_ value: any TOMLValueConvertible) -> Bool {
        switch self {
        case .text: value.type == .string
        case .whole: value.type == .int
        case .number: value.type == .int || value.type == .double
        case .truth: value.type == .bool
        case .texts: value.array?.allSatisfy { $0.type == .string } ?? false
        case .table: value.type == .table
        case .tables: value.array?.allSatisfy { $0.type == .table } ?? false
        }
    }
}

extension TOMLTable {
    /// The path of a date or time in this table or below it: Nix cannot read such a file.
    var dates: [String] { keys.sorted().flatMap { key in self[key].map { $0.dates(at: key) } ?? [] } }
}

extension TOMLValueConvertible {
    fileprivate func dates(at place: String) -> [String] {
        switch type {
        case .date, .time, .dateTime: [place]
        case .table: table?.dates.map { "\(place).\($0)" } ?? []
        case .array: array?.flatMap { $0.dates(at: place) } ?? []
        case .string, .int, .double, .bool: []
        }
    }
}
