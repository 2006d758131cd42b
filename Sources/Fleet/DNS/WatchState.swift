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

    package func write(_ withdrawal: Withdrawal) throws {
        try File.replace(path, with: try Self.text(withdrawal), mode: 0o600)
    }

    /// Whom people took out, by name.
    package func hands() throws -> [String: HandWithdrawal] { try Self.read(handsPath) ?? [:] }

    /// Alone: two people may do so at once.
    package func changeHands(_ change: (inout [String: HandWithdrawal]) throws -> Void) throws {
        try File.edit(handsPath, most: Self.most, absent: "{}") { text in
            var hands: [String: HandWithdrawal] = try Self.value(text, of: handsPath)
            try change(&hands)
            return try Self.text(hands)
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
