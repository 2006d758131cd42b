package import VaultFormat

/// A place that holds a node's root keys.
package protocol RootKeySource: Sendable {
    /// Where the keys are, as an operator names the place.
    var location: String { get }
    var exists: Bool { get }
    /// Throws `RootKeySourceError`, or what the system says.
    func load() throws -> RootKeys
    /// Replaces the keys as a whole: the old ones or the new ones are there at any instant.
    ///
    /// - Throws: `RootKeySourceError.notReplaceable` when the node cannot write there.
    func replace(with keys: RootKeys) throws
    /// Whether `replace` can work.
    var isReplaceable: Bool { get }
}

/// Why there are no root keys.
package enum RootKeySourceError: Error, Equatable, CustomStringConvertible, Sendable {
    case missing(String)
    case malformed(String)
    case notReplaceable(String)

    package var description: String {
        switch self {
        case .missing(let location):
            "There is no root key at \(location). Give its place with --root-key, or restore it from your copy."
        case .malformed(let location):
            "\(location) is no root key file. Each line is a number and a key that begins with clv_root_."
        case .notReplaceable(let location):
            "The root key at \(location) is a systemd credential, which only you can replace. See docs/OPERATIONS.md."
        }
    }
}
