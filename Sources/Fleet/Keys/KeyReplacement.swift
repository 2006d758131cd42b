/// Another WireGuard key for a node whose machine is given up: after a break-in, or with the loss of its key.
///
/// The hub refuses the old key at once, and with its next deploy for good. The new one goes to the new machine alone, by
/// `provision`.
package struct KeyReplacement: Sendable {
    private let node: Node
    private let keys: KeyStore

    package init(_ node: Node, _ keys: KeyStore) {
        (self.node, self.keys) = (node, keys)
    }

    /// - Parameters:
    ///   - ssh: The way to the hub; nil when the node is the hub itself.
    ///   - paths: Of the hub.
    ///   - adopt: Writes the new public key into the inventory.
    /// - Returns: The new public key, and why the hub could not be told; nil when it refuses the old one.
    /// - Throws: When no key could be made.
    package func run(
        _ ssh: SSH?, _ paths: NodePaths, adopt: (String) throws -> Void
    ) async throws -> (publicKey: String, hubSays: String?) {
        let next = try await keys.replace(node)
        try adopt(next)
        guard let ssh, let hub = ssh.inventory.hub, hub.name != node.name else { return (next, nil) }
        do {
            // Whatever had the address: a run that was cut off may have made a key that nobody has.
            _ = try await ssh.perform(NodeCall(hub, RekeyScripts(paths).expel, [node.address, next]))
            return (next, nil)
        } catch {
            return (next, "\(error)")
        }
    }
}
