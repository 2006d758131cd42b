import Foundation
import Monitor
import SQLite
import TestSupport
import Testing
import Wire

/// Nodes and operators listed by the configuration.
@Suite struct AccessTests {
    private static func with(_ body: (MonitorStore, Operators) async throws -> Void) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = try MonitorStore(path: scratch.file("monitor.db"))
        try await body(store, Operators(store: store, now: { 1_000 }))
    }

    private static func node(_ name: String, _ token: String) -> MonitorAccess.Node {
        MonitorAccess.Node(name: name, region: "asia", token: PushToken.digest(token))
    }

    private static func tokens(_ store: MonitorStore) async throws -> [String: [UInt8]] {
        let nodeList = try #require(try await store.nodeList(since: 0))
        return Dictionary(uniqueKeysWithValues: nodeList.nodes.map { ($0.name.name, $0.tokenHash) })
    }

    @Test func theListIsAuthoritativeForItsEntries() async throws {
        try await Self.with { store, _ in
            try await store.addNode(MonitoredNode("by-hand"), tokenHash: PushToken.hash("h"), now: 0)
            try await store.addNode(MonitoredNode("seoul"), tokenHash: PushToken.hash("old"), now: 0)
            let first = MonitorAccess(nodes: [Self.node("tokyo", "t"), Self.node("seoul", "s")], operators: [])
            try await store.apply(first, now: 1)
            var tokens = try await Self.tokens(store)
            #expect(
                tokens == ["by-hand": PushToken.hash("h"), "tokyo": PushToken.hash("t"), "seoul": PushToken.hash("s")])
            // Applying it again changes nothing, and a running monitor reloads nothing.
            let version = try #require(try await store.nodeList(since: 0)).version
            try await store.apply(first, now: 2)
            #expect(try await store.nodeList(since: version) == nil)
            // Tokens exchanged, one node gone.
            try await store.apply(
                MonitorAccess(nodes: [Self.node("tokyo", "s"), Self.node("lagos", "t")], operators: []), now: 3)
            tokens = try await Self.tokens(store)
            #expect(
                tokens == ["by-hand": PushToken.hash("h"), "tokyo": PushToken.hash("s"), "lagos": PushToken.hash("t")])
        }
    }

    @Test func aListedJobHasItsOwnInterval() async throws {
        try await Self.with { store, _ in
            var job = Self.node("soc-backups", "b")
            job.every = 86_400
            try await store.apply(MonitorAccess(nodes: [Self.node("tokyo", "t"), job], operators: []), now: 1)
            func intervals() async throws -> [String: Int64?] {
                let nodeList = try #require(try await store.nodeList(since: 0))
                return Dictionary(uniqueKeysWithValues: nodeList.nodes.map { ($0.name.name, $0.name.every) })
            }
            #expect(try await intervals() == ["tokyo": nil, "soc-backups": 86_400_000])
            // An interval set by an operator stays, a job's follows the list.
            try await store.setInterval(of: "tokyo", to: 60_000)
            job.every = 3_600
            try await store.apply(MonitorAccess(nodes: [Self.node("tokyo", "t"), job], operators: []), now: 2)
            #expect(try await intervals() == ["tokyo": 60_000, "soc-backups": 3_600_000])
        }
    }

    @Test func aListedTokenIsValidWhileListed() async throws {
        try await Self.with { store, operators in
            let (one, two) = (PushToken.forTool(), PushToken.forTool())
            #expect(one != two && one.hasPrefix("clm_"))
            func list(_ token: String) -> MonitorAccess {
                MonitorAccess(nodes: [], operators: [.init(name: "ana", token: PushToken.digest(token))])
            }
            try await store.apply(list(one), now: 1_000)
            #expect(try await operators.signedIn(one)?.name == "ana")
            // No password is set yet; setting one keeps the token.
            await #expect(throws: (any Error).self) {
                try await operators.signIn("ana", password: "")
            }
            _ = try await operators.set("ana", password: "five words make a password")
            #expect(try await operators.signedIn(one) != nil)
            try await store.apply(list(two), now: 1_000)
            #expect(try await operators.signedIn(one) == nil)
            #expect(try await operators.signedIn(two) != nil)
        }
    }

    @Test(arguments: [
        "", "[]", #"{"nodes":[]}"#, #"{"nodes":[{"name":"n","region":"r","token":"ab"}],"operators":[]}"#,
        #"{"nodes":[],"operators":[{"name":"n","token":"zz"}]}"#,
    ])
    func anInvalidListIsRejected(_ text: String) {
        #expect(throws: MonitorAccessError.self) { try MonitorAccess(json: text) }
    }
}
