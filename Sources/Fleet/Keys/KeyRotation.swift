/// Gives a spoke another WireGuard key while its tunnel is in use.
///
/// The hub admits the new key at run time, then the spoke tries it. Whatever breaks on the way, both come back to the old
/// one, or the next run goes on. The inventory has the new key as soon as it is in use; the hub's own configuration
/// has it with its next deploy.
package struct KeyRotation<C: Clock>: Sendable where C.Duration == Duration {
    private let ssh: SSH
    private let hub: Node
    private let node: Node
    private let keys: KeyStore
    private let paths: NodePaths
    private let scripts: RekeyScripts
    private let clock: C
    /// Seconds that the spoke tries.
    private let patience: Int

    /// - Throws: `KeyRotationRefusal`.
    package init(
        _ node: Node, _ ssh: SSH, _ keys: KeyStore, _ paths: NodePaths, clock: C, patience: Int = 90
    ) throws(KeyRotationRefusal) {
        guard let hub = ssh.inventory.hub, node.role == .spoke else { throw .hub(node.name) }
        guard !node.publicKey.isEmpty else { throw .unused(node.name) }
        (self.ssh, self.hub, self.node, self.keys, self.clock) = (ssh, hub, node, keys, clock)
        self.paths = paths
        scripts = RekeyScripts(paths)
        self.patience = patience
    }

    /// - Parameters:
    ///   - tell: What is being done.
    ///   - adopt: Writes the new public key into the inventory.
    /// - Returns: The new public key, which is in use.
    /// - Throws: `KeyRotationError.notHeard` when both went back, or what a machine says.
    package func run(_ tell: (String) -> Void, adopt: (String) throws -> Void) async throws -> String {
        let next = try await keys.rotate(node)
        guard let old = try await keys.publicKeys(node).present, [old, next].contains(node.publicKey) else {
            throw KeyStoreError.madeElsewhere(node.name)
        }
        // A run before may have come far.
        let isKnown = try await age(of: next) != nil
        let isKept = isKnown ? try await keeps(next) : false
        if !isKept {
            try await onHub(scripts.admit, [old, node.address])
            do {
                tell("bringing the new key to \(node.name)")
                try await bring()
            } catch {
                if isKnown { try await onHub(scripts.admit, [next, node.address]) }
                throw error
            }
            try await onHub(scripts.admit, [next, node.address])
            tell("waiting for \(node.name) to come with it")
            guard try await isHeard(next) else {
                try await onHub(scripts.admit, [old, node.address])
                try await onHub(scripts.dismiss, [next])
                throw KeyRotationError.notHeard(node.name)
            }
            guard try await keeps(next) else { throw KeyRotationError.notKept(node.name) }
        }
        try adopt(next)
        if old != next { try await onHub(scripts.dismiss, [old]) }
        try keys.settle(node)
        return next
    }

    private func bring() async throws {
        try await SecretPush.push(
            try await keys.next(node), as: RekeyScripts.nextName, in: paths.wireguard, to: NodeShell(ssh, node))
        _ = try await ssh.perform(NodeCall(node, scripts.begin, ["\(patience)"]))
    }

    private func onHub(_ script: NodeScript, _ words: [String]) async throws {
        _ = try await ssh.perform(NodeCall(hub, script, words))
    }

    /// Seconds since the hub heard that key; nil for never.
    private func age(of key: String) async throws -> Int64? {
        NodeLines(try await ssh.perform(NodeCall(hub, scripts.heard, [key]))).number("age")
    }

    /// The spoke waits a little before it begins, and gives up before we do.
    private func isHeard(_ key: String) async throws -> Bool {
        for _ in 0..<(patience + 15) {
            if try await age(of: key) != nil { return true }
            try await clock.sleep(for: .seconds(1))
        }
        return false
    }

    /// Whether the spoke has it in its file, so that it stays over a reboot: asked through the new tunnel.
    private func keeps(_ key: String) async throws -> Bool {
        try await onHub(scripts.admit, [key, node.address])
        let end = clock.now.advanced(by: .seconds(60))
        while clock.now < end {
            let said = try? await ssh.perform(NodeCall(node, scripts.kept, [], fresh: true))
            if let said, NodeLines(said).text("key") == key { return true }
            try await clock.sleep(for: .seconds(2))
        }
        return false
    }
}

package enum KeyRotationRefusal: Refusal, Equatable, Sendable {
    case hub(String)
    case unused(String)

    package var description: String {
        switch self {
        case .hub(let name):
            """
            \(name) is the hub, and every spoke has its key in its own system: give it another by a deploy to all while \
            both are reachable through break-glass.
            """
        case .unused(let name): "\(name) has no key in use. Make its first: clavitor-soc keys generate \(name)"
        }
    }
}

package enum KeyRotationError: Error, Equatable, Sendable, CustomStringConvertible {
    case notHeard(String)
    case notKept(String)

    package var description: String {
        switch self {
        case .notHeard(let name): "The hub did not hear \(name) with its new key. Both are back at the old one."
        case .notKept(let name):
            "The hub hears \(name) with its new key, but \(name) does not say that it keeps it. Run this again: it goes on."
        }
    }
}
