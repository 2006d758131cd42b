import Files
import FoundationEssentials

/// The failover state in files: it survives restarts of the watch, and `dns apply` respects it.
package struct WatchState: Sendable {
    private let path: String
    /// A separate file, because a running watch holds its own state in memory and overwrites its file.
    private let overridesPath: String

    /// - Parameter folder: The operator's state directory.
    package init(folder: String) {
        path = "\(folder)/dns-watch.json"
        overridesPath = "\(folder)/dns-by-hand.json"
    }

    /// Ensures that one watch runs at a time: two would count the same health twice.
    package func lock() throws {
        guard try File.tryLock("\(path).lock") else { throw WatchStateError.locked(path) }
    }

    package func read() throws -> FailoverPolicy {
        try Self.read(path) ?? FailoverPolicy()
    }

    package func write(_ policy: FailoverPolicy) throws {
        try File.replace(path, with: try Self.text(policy), mode: 0o600)
    }

    /// Manual overrides, by node.
    package func overrides() throws -> [String: ManualOverride] { try Self.read(overridesPath) ?? [:] }

    /// Edits the overrides under a lock, so that concurrent edits are not lost.
    package func editOverrides(_ change: (inout [String: ManualOverride]) throws -> Void) throws {
        try File.edit(overridesPath, most: Self.maximumBytes, absent: "{}") { text in
            var overrides: [String: ManualOverride] = try Self.value(text, of: overridesPath)
            try change(&overrides)
            return try Self.text(overrides)
        }
    }

    private static func read<Value: Decodable>(_ path: String) throws -> Value? {
        guard File.exists(path) else { return nil }
        return try value(try File.read(path, most: maximumBytes), of: path)
    }

    private static func value<Value: Decodable>(_ text: String, of path: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw WatchStateError.unreadable(path)
        }
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static let maximumBytes = 1 << 24
}

package enum WatchStateError: Error, Equatable, Sendable, CustomStringConvertible {
    case locked(String)
    case unreadable(String)

    package var description: String {
        switch self {
        case .locked(let path):
            "Another `dns watch` is running with \(path). Stop it first, or let it do the work."
        case .unreadable(let path):
            "\(path) is damaged. Remove it: every node is then in the nearest name until it is found unhealthy again."
        }
    }
}

extension WatchStateError: PreconditionError {}
