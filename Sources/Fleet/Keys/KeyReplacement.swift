/// Replaces the WireGuard key of a node whose machine is abandoned, after a compromise or the loss of its key.
///
/// The hub rejects the old key at once, and permanently with its next deploy. The new key is sent to the new machine only, by
/// `provision`.
package struct KeyReplacement: Sendable {
    private let node: Node
    private let keys: KeyStore

    package init(_ node: Node, _ keys: KeyStore) {
        (self.node, self.keys) = (node, keys)
    }

    /// - Parameters:
    ///   - ssh: The connection to the hub; nil if the node is the hub itself.
    ///   - paths: Paths on the hub.
    ///   - adopt: Writes the new public key into the inventory.
    /// - Returns: The new public key, and why the hub could not be updated; nil if it rejects the old key.
    /// - Throws: If no key could be made.
    package func run(
        _ ssh: SSH?, _ paths: NodePaths, adopt: (String) throws -> Void
    ) async throws -> (publicKey: String, hubFailure: String?) {
        let next = try await keys.replace(node)
        try adopt(next)
        guard let ssh, let hub = ssh.inventory.hub, hub.name != node.name else { return (next, nil) }
        do {
            // Removes every peer with the address: an interrupted run may have left another key.
            _ = try await ssh.perform(RemoteCall(hub, KeyRotationScripts(paths).removeOthers, [node.address, next]))
            return (next, nil)
        } catch {
            return (next, "\(error)")
        }
    }
}
