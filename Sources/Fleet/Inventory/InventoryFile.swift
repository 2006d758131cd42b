import Files

/// The inventory's file: nix/fleet.toml, or the one given by `--inventory`.
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
    package func readValid() throws -> Inventory {
        let text = try text()
        try Self.requireValid(text)
        return try Inventory(toml: text)
    }

    /// Creates the file if it does not exist.
    package func create(_ text: String) throws {
        try Self.requireValid(text)
        try File.replace(path, with: text, mode: 0o644)
    }

    /// Replaces the file only with a valid inventory. Concurrent edits are serialized.
    package func edit(_ change: (InventoryText) throws -> InventoryText) throws {
        guard File.exists(path) else { throw InventoryError.notThere(path) }
        try File.edit(path, most: Self.most) { text in
            let edited = try change(InventoryText(text)).text
            try Self.requireValid(edited)
            return edited
        }
    }

    private static func requireValid(_ text: String) throws {
        let problems = try InventoryProblems.found(in: text)
        guard problems.isEmpty else { throw InventoryError.faulty(problems) }
    }
}
