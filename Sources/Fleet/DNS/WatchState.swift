import Files
import FoundationEssentials

/// Who is out of the nearest name, in a file: it outlives the watcher, and `dns apply` heeds it.
package struct WatchState: Sendable {
    private let path: String
    /// Apart, because the watch has its own file in its memory.
    private let overridesPath: String

    /// - Parameter folder: Of the operator's state.
    package init(folder: String) {
        path = "\(folder)/dns-watch.json"
        overridesPath = "\(folder)/dns-by-hand.json"
    }

    /// One watcher at a time: two would count the same health twice.
    package func lock() throws {
        guard try File.tryLock("\(path).lock") else { throw WatchStateError.locked(path) }
    }

    package func read() throws -> FailoverPolicy {
        try Self.read(path) ?? FailoverPolicy()
    }

    package func write(_ withdrawal: FailoverPolicy) throws {
        try File.replace(path, with: try Self.text(withdrawal), mode: 0o600)
    }

    /// Whom people took out, by name.
    package func overrides() throws -> [String: ManualOverride] { try Self.read(overridesPath) ?? [:] }

    /// Alone: two people may do so at once.
    package func changeHands(_ change: (inout [String: ManualOverride]) throws -> Void) throws {
        try File.edit(overridesPath, most: Self.most, absent: "{}") { text in
            var overrides: [String: ManualOverride] = try Self.value(text, of: overridesPath)
            try change(&overrides)
            return try Self.text(overrides)
        }
    }

    private static func read<Value: Decodable>(_ path: String) throws -> Value? {
        guard File.exists(path) else { return nil }
        return try value(try File.read(path, most: most), of: path)
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

    private static let most = 1 << 24
}

package enum WatchStateError: Error, Equatable, Sendable, CustomStringConvertible {
    case locked(String)
    case unreadable(String)

    package var description: String {
        switch self {
        case .locked(let path):
            "Another `dns watch` is running with \(path). Stop it first, or let it do the work."
        case .unreadable(let path):
            "\(path) is damaged. Remove it: every node is then in the nearest name until it is found ill again."
        }
    }
}

extension WatchStateError: Refusal {}
