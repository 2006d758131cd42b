package import VaultFormat

/// A source of a node's root keys.
package protocol RootKeySource: Sendable {
    /// The location of the keys, for messages to the operator.
    var location: String { get }
    var exists: Bool { get }
    /// Loads the keys.
    ///
    /// - Throws: `RootKeySourceError`, or a system error.
    func load() throws -> RootKeys
    /// Replaces all keys atomically.
    ///
    /// - Throws: `RootKeySourceError.notReplaceable` when the source is read-only.
    func replace(with keys: RootKeys) throws
    /// Whether `replace` can work.
    var isReplaceable: Bool { get }
}

/// An error of a root key source.
package enum RootKeySourceError: Error, Equatable, CustomStringConvertible, Sendable {
    case missing(String)
    case malformed(String)
    case notReplaceable(String)

    package var description: String {
        switch self {
        case .missing(let location):
            "There is no root key at \(location). Give its location with --root-key, or restore it from a copy."
        case .malformed(let location):
            "\(location) is not a root key file. Each line must have a number and a key that begins with clv_root_."
        case .notReplaceable(let location):
            "The root key at \(location) is a systemd credential, which the node cannot replace. docs/OPERATIONS.md has the steps."
        }
    }
}
