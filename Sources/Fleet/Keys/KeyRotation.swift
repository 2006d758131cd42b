/// Rotates a spoke's WireGuard key while its tunnel is in use.
///
/// The hub adds the new key at run time, then the spoke tries it. After any failure both return to the old key, or the next
/// run continues. The inventory gets the new key as soon as it is in use; the hub's configuration gets it with the next
/// deploy.
package struct KeyRotation<C: Clock>: Sendable where C.Duration == Duration {
    private let ssh: SSH
    private let hub: Node
    private let node: Node
    private let keys: KeyStore
    private let paths: NodePaths
    private let scripts: KeyRotationScripts
    private let clock: C
    /// Seconds that the spoke tries.
    private let timeout: Int

    /// - Throws: `KeyRotationPreconditionError`.
    package init(
        _ node: Node, _ ssh: SSH, _ keys: KeyStore, _ paths: NodePaths, clock: C, timeout: Int = 90
    ) throws(KeyRotationPreconditionError) {
        guard let hub = ssh.inventory.hub, node.role == .spoke else { throw .hub(node.name) }
        guard !node.publicKey.isEmpty else { throw .unused(node.name) }
        (self.ssh, self.hub, self.node, self.keys, self.clock) = (ssh, hub, node, keys, clock)
        self.paths = paths
        scripts = KeyRotationScripts(paths)
        self.timeout = timeout
    }

    /// - Parameters:
    ///   - report: Gets each step as text.
    ///   - adopt: Writes the new public key into the inventory.
    /// - Returns: The new public key, which is in use.
    /// - Throws: `KeyRotationError.notHeard` if both returned to the old key, or errors of a machine.
    package func run(_ report: (String) -> Void, adopt: (String) throws -> Void) async throws -> String {
        let next = try await keys.rotate(node)
        guard let old = try await keys.publicKeys(node).present, [old, next].contains(node.publicKey) else {
            throw KeyStoreError.madeElsewhere(node.name)
        }
        // An earlier run may have been interrupted after some of the steps.
        let isKnown = try await handshakeAge(of: next) != nil
        let isStored = isKnown ? try await hasStored(next) : false
        if !isStored {
            try await onHub(scripts.addPeer, [old, node.address])
            do {
                report("sending the new key to \(node.name)")
                try await sendNextKey()
            } catch {
                if isKnown { try await onHub(scripts.addPeer, [next, node.address]) }
                throw error
            }
            try await onHub(scripts.addPeer, [next, node.address])
            report("waiting for a handshake of \(node.name) with the new key")
            guard try await hasHandshake(next) else {
                try await onHub(scripts.addPeer, [old, node.address])
                try await onHub(scripts.removePeer, [next])
                throw KeyRotationError.notHeard(node.name)
            }
            guard try await hasStored(next) else { throw KeyRotationError.notKept(node.name) }
        }
        try adopt(next)
        if old != next { try await onHub(scripts.removePeer, [old]) }
        try keys.promoteNext(node)
        return next
    }

    private func sendNextKey() async throws {
        try await SecretPush.push(
            try await keys.next(node), as: KeyRotationScripts.nextName, in: paths.wireguard, to: NodeShell(ssh, node))
        _ = try await ssh.perform(RemoteCall(node, scripts.begin, ["\(timeout)"]))
    }

    private func onHub(_ script: RemoteScript, _ words: [String]) async throws {
        _ = try await ssh.perform(RemoteCall(hub, script, words))
    }

    /// Seconds since the hub's last handshake with the key; nil for none.
    private func handshakeAge(of key: String) async throws -> Int64? {
        KeyValueLines(try await ssh.perform(RemoteCall(hub, scripts.handshakeAge, [key]))).number("age")
    }

    /// Waits for a handshake with the key. Waits longer than the spoke tries, which starts with a short delay.
    private func hasHandshake(_ key: String) async throws -> Bool {
        for _ in 0..<(timeout + 15) {
            if try await handshakeAge(of: key) != nil { return true }
            try await clock.sleep(for: .seconds(1))
        }
        return false
    }

    /// Whether the spoke has stored the key in its file, so that it survives a reboot. Checked through the new tunnel.
    private func hasStored(_ key: String) async throws -> Bool {
        try await onHub(scripts.addPeer, [key, node.address])
        let end = clock.now.advanced(by: .seconds(60))
        while clock.now < end {
            let output = try? await ssh.perform(RemoteCall(node, scripts.storedKey, [], fresh: true))
            if let output, KeyValueLines(output).text("key") == key { return true }
            try await clock.sleep(for: .seconds(2))
        }
        return false
    }
}

package enum KeyRotationPreconditionError: PreconditionError, Equatable, Sendable {
    case hub(String)
    case unused(String)

    package var description: String {
        switch self {
        case .hub(let name):
            """
            \(name) is the hub, whose key is in every spoke's system: replace it with a deploy to all nodes while they are \
            reachable through break-glass.
            """
        case .unused(let name): "\(name) has no key in use. Make its first one: clavitor-soc keys generate \(name)"
        }
    }
}

package enum KeyRotationError: Error, Equatable, Sendable, CustomStringConvertible {
    case notHeard(String)
    case notKept(String)

    package var description: String {
        switch self {
        case .notHeard(let name):
            "The hub had no handshake with \(name)'s new key. Both are back at the old one."
        case .notKept(let name):
            "The hub has a handshake with \(name)'s new key, but \(name) has not stored it. Run this again to continue."
        }
    }
}
