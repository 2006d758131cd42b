package import Crypto

/// The node's root keys by id. Stored in a file or a systemd credential, never in the database or a backup.
///
/// There is more than one only during a rotation: `current` encrypts new secret boxes, the others open old ones.
package struct RootKeys: Sendable {
    package let current: UInt32
    private let keys: [UInt32: SymmetricKey]

    /// Nil when `current` is not among the keys.
    package init?(current: UInt32, keys: [UInt32: SymmetricKey]) {
        guard keys[current] != nil else { return nil }
        self.current = current
        self.keys = keys
    }

    package static func generate(id: UInt32 = 1) -> RootKeys {
        RootKeys(current: id, key: SymmetricKey(size: .bits256))
    }

    private init(current: UInt32, key: SymmetricKey) {
        self.current = current
        keys = [current: key]
    }

    package var ids: [UInt32] { keys.keys.sorted() }

    /// Encrypts under the current key. `context` is the outer context.
    package func seal(_ inner: [UInt8], context: Context) -> [UInt8] {
        Box.seal(inner, key: currentKey, context: context, keyID: current)
    }

    /// Encrypts a key of the node's own.
    package func seal(_ secret: SymmetricKey, context: Context) -> [UInt8] {
        Box.seal(secret, key: currentKey, context: context, keyID: current)
    }

    private var currentKey: SymmetricKey {
        // Guaranteed by `init`.
        guard let key = keys[current] else { preconditionFailure("the current root key must be among the keys") }
        return key
    }

    /// Opens a secret box made under any of the keys.
    ///
    /// A failure means corruption or tampering, never a principal's mistake: raise an alarm, do not answer 401.
    package func open(_ outer: [UInt8], context: Context) throws(RootBoxError) -> [UInt8] {
        try withKey(of: outer) { key throws(BoxError) in try Box.open(outer, key: key, context: context) }
    }

    /// Opens a secret box that contains a key of the node's own. Fails as `open` does.
    package func openKey(_ outer: [UInt8], context: Context) throws(RootBoxError) -> SymmetricKey {
        try withKey(of: outer) { key throws(BoxError) in try Box.openKey(outer, key: key, context: context) }
    }

    private func withKey<R>(
        of outer: [UInt8], _ open: (SymmetricKey) throws(BoxError) -> R
    ) throws(RootBoxError) -> R {
        let id: UInt32
        do { id = try Box.keyID(of: outer) } catch { throw .notOurs(error) }
        guard let key = keys[id] else { throw .unknownKey(id) }
        do { return try open(key) } catch { throw .notOurs(error) }
    }

    /// Adds a new current key to the old ones: the first step of a rotation.
    package func adding() -> RootKeys {
        let next = (ids.last ?? 0) + 1
        var keys = keys
        keys[next] = SymmetricKey(size: .bits256)
        return RootKeys(current: next, keys: keys) ?? self
    }

    /// Keeps the current key only: the last step of a rotation.
    package func retiringOthers() -> RootKeys {
        RootKeys(current: current, keys: keys.filter { $0.key == current }) ?? self
    }

    package func key(_ id: UInt32) -> SymmetricKey? { keys[id] }
}

package enum RootBoxError: Error, Equatable, Sendable {
    /// The row was encrypted under a root key that this node does not have.
    case unknownKey(UInt32)
    /// The row fails authentication under this root key and context: corruption or tampering.
    case notOurs(BoxError)
}
