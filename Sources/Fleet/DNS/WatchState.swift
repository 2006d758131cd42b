import Files
import FoundationEssentials

/// Who is out of the nearest name, in a file: it outlives the watcher, and `dns apply` heeds it.
package struct WatchState: Sendable {
    private let path: String
    /// Apart, because the watch has its own file in its memory.
    private let handsPath: String

    /// - Parameter folder: Of the operator's state.
    package init(folder: String) {
        path = "\(folder)/dns-watch.json"
        handsPath = "\(folder)/dns-by-hand.json"
    }

    /// One watcher at a time: two would count the same health twice.
    package func lock() throws {
        guard try File.takeLock("\(path).lock") else { throw WatchStateError.locked(path) }
    }

    package func read() throws -> Withdrawal {
        try Self.read(path) ?? Withdrawal()
    }

    package func write(_ withdrawal: Withdrawal) throws { try Self.write(withdrawal, to: path) }

    /// Whom people took out, by name.
    package func hands() throws -> [String: HandWithdrawal] { try Self.read(handsPath) ?? [:] }

    package func write(_ hands: [String: HandWithdrawal]) throws { try Self.write(hands, to: handsPath) }

    private static func read<Value: Decodable>(_ path: String) throws -> Value? {
        guard File.exists(path) else { return nil }
        let text = try File.read(path, most: 1 << 24)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw WatchStateError.unreadable(path)
        }
    }

    private static func write(_ value: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try File.replace(path, with: String(decoding: try encoder.encode(value), as: UTF8.self), mode: 0o600)
    }
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
