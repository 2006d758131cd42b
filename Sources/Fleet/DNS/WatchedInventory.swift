import Files

/// Detects changes of the inventory file while the watch runs, so that the watch does not restore an address that a node no
/// longer has.
package struct WatchedInventory: Sendable {
    private let path: String
    private let text: String

    /// Must be created before the inventory is read for use, so that no change in between is missed.
    package init(path: String) throws {
        self.path = path
        text = try File.read(path, most: 1 << 20)
    }

    /// Whether there is a new, valid inventory.
    ///
    /// - Throws: What is wrong with a new, invalid one.
    package func hasChanged() async throws -> Bool {
        let now = try File.read(path, most: 1 << 20)
        guard now != text else { return false }
        let problems = try InventoryProblems.found(in: now)
        guard problems.isEmpty else { throw InventoryError.faulty(problems) }
        let inventory = try Inventory(toml: now)
        guard let dns = inventory.dns else { throw RecordsError.noSettings }
        _ = try Records(inventory)
        try await dns.withProvider(of: inventory, now: { 0 }) { _ in }
        return true
    }
}
