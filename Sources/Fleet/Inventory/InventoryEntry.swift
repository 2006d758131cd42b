import TOMLKit

/// A node or an operator as the file has it, before anybody knows that it is sound.
struct InventoryEntry {
    let table: TOMLTable

    var keys: [String] { table.keys }

    /// Empty when there is no such key.
    func text(_ key: String) throws(InventoryError) -> String {
        guard let value = table[key] else { return "" }
        guard let text = value.string else {
            throw .unreadable("\(key) of \(table["name"]?.string ?? "a node") is no text")
        }
        return text
    }

    func number(_ key: String) throws(InventoryError) -> Double {
        if let whole = table[key]?.int { return Double(whole) }
        guard let number = table[key]?.double else {
            throw .unreadable("\(key) of \(table["name"]?.string ?? "a node") is no number")
        }
        return number
    }
}

/// A /24, in which a machine's last number says who it is.
struct ManagementNetwork {
    /// `10.84.0`.
    let prefix: String

    init?(_ text: String) {
        guard text.hasSuffix(".0/24") else { return nil }
        prefix = String(text.dropLast(5))
        let parts = prefix.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }) else { return nil }
    }

    /// The last number of an address of this network; nil for any other.
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

    /// Of base64's alphabet, without its padding.
    var isBase64: Bool {
        isDigit || isLowercaseLetter || isUppercaseLetter || self == UInt8(ascii: "+") || self == UInt8(ascii: "/")
    }
}
