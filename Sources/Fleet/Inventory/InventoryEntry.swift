import TOMLKit

/// A table of the inventory with the keys and types of its schema. Its values are unchecked.
struct InventoryEntry {
    let table: TOMLTable

    /// Empty if the key does not exist.
    func text(_ key: String) -> String { table[key]?.string ?? "" }

    /// Empty if the key does not exist.
    func texts(_ key: String) -> [String] { table[key]?.array?.compactMap(\.string) ?? [] }

    func whole(_ key: String) -> Int { table[key]?.int ?? 0 }

    func number(_ key: String) -> Double { table[key]?.int.map(Double.init) ?? table[key]?.double ?? .nan }

    func entry(_ key: String) -> InventoryEntry { InventoryEntry(table: table[key]?.table ?? TOMLTable()) }

    func entries(_ key: String) -> [InventoryEntry] {
        table[key]?.array?.compactMap { $0.table.map(InventoryEntry.init) } ?? []
    }

    /// By name.
    var keys: [String] { table.keys.sorted() }
}

/// A /24 network, in which the last octet identifies a machine.
struct ManagementNetwork {
    /// `10.84.0`.
    let prefix: String

    init?(_ text: String) {
        guard text.hasSuffix(".0/24") else { return nil }
        prefix = String(text.dropLast(5))
        guard InventoryForms.isIPv4("\(prefix).0") else { return nil }
    }

    /// The last octet of an address in this network; nil for any other address.
    func id(of address: String) -> Int? {
        guard let dot = address.lastIndex(of: "."), address[..<dot] == prefix else { return nil }
        let last = address[address.index(after: dot)...]
        guard (1...3).contains(last.utf8.count), last.utf8.first != UInt8(ascii: "0"),
            last.utf8.allSatisfy(\.isDigit)
        else { return nil }
        return Int(last)
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isUppercaseLetter: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }

    /// Characters of base64's alphabet, without padding.
    var isBase64: Bool {
        isDigit || isLowercaseLetter || isUppercaseLetter || self == UInt8(ascii: "+") || self == UInt8(ascii: "/")
    }
}
