import Files

/// nix/fleet.toml, or another file that was named.
package struct InventoryFile: Equatable, Sendable {
    private static let most = 1 << 20

    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    /// - Throws: `InventoryError.notThere`.
    package func text() throws -> String {
        guard File.exists(path) else { throw InventoryError.notThere(path) }
        return try File.read(path, most: Self.most)
    }

    package func read() throws -> Inventory { try Inventory(toml: try text()) }

    /// - Throws: `InventoryError.faulty`.
    package func readSound() throws -> Inventory {
        let text = try text()
        try Self.demandSound(text)
        return try Inventory(toml: text)
    }

    /// A new one, where there is none.
    package func create(_ text: String) throws {
        try Self.demandSound(text)
        try File.replace(path, with: text, mode: 0o644)
    }

    /// Only what is right replaces the file, and two edits at once are made one after the other.
    package func edit(_ change: (InventoryText) throws -> InventoryText) throws {
        guard File.exists(path) else { throw InventoryError.notThere(path) }
        try File.edit(path, most: Self.most) { text in
            let edited = try change(InventoryText(text)).text
            try Self.demandSound(edited)
            return edited
        }
    }

    private static func demandSound(_ text: String) throws {
        let problems = try InventoryProblems.found(in: text)
        guard problems.isEmpty else { throw InventoryError.faulty(problems) }
    }
}
