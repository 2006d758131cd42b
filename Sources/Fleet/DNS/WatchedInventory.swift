import Files

/// The inventory's file since the watch read it. An operator changes it while the watch runs, and the watch must not put
/// back an address that a node no longer has.
package struct WatchedInventory: Sendable {
    private let path: String
    private let text: String

    /// To be made before the inventory is read for use, so that no change falls between the two.
    package init(path: String) throws {
        self.path = path
        text = try File.read(path, most: 1 << 20)
    }

    /// Whether there is a new one to go on with.
    ///
    /// - Throws: What is wrong with a new one that nobody can work with.
    package func hasChanged() async throws -> Bool {
        let now = try File.read(path, most: 1 << 20)
        guard now != text else { return false }
        let problems = try InventoryProblems.found(in: now)
        guard problems.isEmpty else { throw InventoryError.faulty(problems) }
        let inventory = try Inventory(toml: now)
        guard let dns = inventory.dns else { throw RecordsError.noSettings }
        _ = try Records(inventory)
        try await dns.withNames(of: inventory, now: { 0 }) { _ in }
        return true
    }
}
