import Foundation
import SQLite
import Synchronization
import Testing
import Wire

@testable import Monitor

/// Signing in when the disk takes nothing.
@Suite(.timeLimit(.minutes(5))) struct OperatorTests {
    private final class Hand: Sendable {
        let now = Mutex<Int64>(1_800_000_000_000)
    }

    private static func with(_ body: (Operators, Hand) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "clavitor-monitor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let hand = Hand()
        let operators = Operators(store: try MonitorStore(path: folder.appending(path: "monitor.db").path())) {
            hand.now.withLock { $0 }
        }
        try await operators.set("soc", password: "five words")
        try await body(operators, hand)
    }

    /// As many sessions as it takes until the disk has no room for one more.
    private static func fill(_ operators: Operators) async throws {
        try await operators.store.fill()
        try await operators.store.database.maintain { db in
            try db.script(
                "CREATE TRIGGER full BEFORE INSERT ON session BEGIN INSERT INTO ballast VALUES (zeroblob(9000)); END")
        }
    }

    @Test func onAFullDiskPeopleSignInAndOut() async throws {
        try await Self.with { operators, hand in
            let before = try await operators.signIn("soc", password: "five words")
            try await Self.fill(operators)
            let session = try await operators.signIn("soc", password: "five words")
            let signedIn = try #require(try await operators.signedIn(session.token))
            #expect(signedIn.name == "soc" && !signedIn.readsOnly && signedIn.csrf == session.csrf)
            await #expect(throws: Problem.self) { try await operators.signIn("soc", password: "wrong") }
            await operators.signOut(session.token)
            #expect(try await operators.signedIn(session.token) == nil)
            // A tool's token is for a year: it is not made where it cannot be kept.
            await #expect(throws: SQLiteError.self) { try await operators.makeToken(for: "soc", purpose: "tool") }
            await operators.signOut(before.token)
            #expect(try await operators.signedIn(before.token) == nil)
            let third = try await operators.signIn("soc", password: "five words")
            hand.now.withLock { $0 += 13 * 3_600_000 }
            #expect(try await operators.signedIn(third.token) == nil)
        }
    }

    @Test func whoIsRemovedIsSignedOutOfWhatStandsInMemoryToo() async throws {
        try await Self.with { operators, _ in
            try await Self.fill(operators)
            let (first, second) = (
                try await operators.signIn("soc", password: "five words"),
                try await operators.signIn("soc", password: "five words")
            )
            try await operators.set("soc", password: "other words")
            #expect(try await operators.signedIn(first.token) == nil)
            try await operators.remove("soc")
            #expect(try await operators.signedIn(second.token) == nil)
        }
    }

    /// A strange hand fills no memory.
    @Test func soManySessionsStandInMemory() {
        var sessions = UnwrittenSessions()
        for number in 0..<300 {
            sessions.begin(
                [UInt8(number & 255), UInt8(number >> 8)],
                .init(
                    session: .init(name: "soc", csrf: "", readsOnly: false, expires: Int64(number)), salt: []))
        }
        #expect(sessions.begun.count == 200)
        #expect(sessions.begun[[0, 0]] == nil, "the oldest went")
    }
}
