import Foundation
import NodeCore
import SQLite
import Secrets
import TestSupport
import Testing
import VaultFormat

/// Looks for keys in the memory of a node after its clients have disconnected.
///
/// docs/decisions/0028-keys-in-memory.md lists what stays there: requests and responses as text, and seeds of key pairs.
@Suite(.timeLimit(.minutes(15))) struct KeysInMemoryTests {
    @Test(arguments: VaultUse.LastRequest.allCases)
    func keysOfClientsAreGone(after last: VaultUse.LastRequest) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let process = node.process.id
        let use = VaultUse(node)
        try await use.run(last: last)
        try await eventually("all connections are closed") { try !Self.isConnected(node.port) }
        let stored = try StoredKeys(node, use)
        var memory = try ProcessMemory(of: process)
        // The socket is closed before the connection's state is released.
        var left: [String] = []
        try await eventually("in memory: \(left)", within: .seconds(20), every: .milliseconds(50)) {
            memory = try ProcessMemory(of: process)
            left = (stored.clients + use.keys).filter(memory.contains).map(\.name)
            return left.isEmpty
        }
        // The search finds what is rightly there.
        for key in stored.nodes { #expect(memory.contains(key), "\(key.name) is not found") }
    }

    /// Whether a server on this port has an open connection (proc_pid_net(5): states ESTABLISHED and CLOSE_WAIT).
    private static func isConnected(_ port: Int) throws -> Bool {
        let table = try String(contentsOf: URL(filePath: "/proc/net/tcp"), encoding: .utf8)
        return table.split(separator: "\n").dropFirst().contains { line in
            let columns = line.split(separator: " ")
            let local = columns[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
            return local == port && ["01", "08"].contains(columns[3])
        }
    }
}

/// A key to look for.
struct SoughtKey {
    let name: String
    let bytes: [UInt8]

    init(_ name: String, _ bytes: some Sequence<UInt8>) {
        self.name = name
        self.bytes = Array(bytes)
    }
}

extension ProcessMemory {
    /// Looks for each half, because the allocator overwrites the first bytes of what is freed.
    func contains(_ key: SoughtKey) -> Bool {
        !places(of: key.bytes.prefix(16)).isEmpty || !places(of: key.bytes.suffix(16)).isEmpty
    }
}

/// The keys that the root key, the database and two tokens open.
private struct StoredKeys {
    /// Keys that the node has while it runs.
    private(set) var nodes: [SoughtKey] = []
    /// Keys that the node has during a client's request.
    private(set) var clients: [SoughtKey] = []

    init(_ node: ServedNode, _ use: VaultUse) throws {
        let directory = DataDirectory(path: node.data, rootKey: nil)
        let keys = try directory.nodeKeys()
        nodes = keys.all.enumerated().map { SoughtKey("node key \($0)", $1.bytes) }
        let database = try Connection(path: directory.database, access: .readOnly)
        for (name, text) in [("owner's", use.session), ("agent's", use.agent)] {
            let token = try #require(Token(text))
            let row = try #require(
                try database.first(
                    "SELECT id, vault, holder, kind, box, created, expires FROM credential WHERE lookup = ?",
                    .blob(token.lookup)
                ) { ($0.blob(0), $0.blob(1), $0.blob(2), $0.text(3), $0.blob(4), $0.integer(5), $0.optionalInteger(6)) }
            )
            let credential = StoredCredential(
                id: try #require(CredentialID(row.0)), vault: try #require(VaultID(row.1)),
                holder: try #require(HolderID(row.2)), kind: try #require(CredentialKind(rawValue: row.3)),
                lookup: token.lookup, box: row.4, created: row.5, expires: row.6, lastUsed: 0, l2Key: nil)
            let holder = try credential.open(token.secret, root: keys.root)
            let wrap = try #require(
                try database.first(
                    "SELECT version, is_sealed, box FROM wrap WHERE holder = ? AND entry = ? AND field = ? AND part = 0",
                    .blob(holder.id.bytes), .blob(use.entry.bytes), .blob(use.field.bytes)
                ) { row in
                    Wrap(
                        place: FieldPlace(
                            vault: credential.vault, entry: use.entry, field: use.field, tier: .l1, version: row.int(0)),
                        holder: holder.id, isSealed: row.int(1) == 1, box: row.blob(2))
                })
            clients += [
                SoughtKey("\(name) secret", holder.secret.bytes), SoughtKey("\(name) wrap key", holder.wrapKey.bytes),
                SoughtKey("data key", try holder.unwrap(wrap, root: keys.root).bytes),
            ]
        }
    }
}
