import Foundation
import Monitor
import OneTimePasswords
import SQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// Signing in while the disk cannot be written.
@Suite(.timeLimit(.minutes(5))) struct OperatorTests {
    private final class ManualTime: Sendable {
        let now = Mutex<Int64>(1_800_000_000_000)
    }

    private static func with(_ body: (Operators, ManualTime) async throws -> Void) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let hand = ManualTime()
        let operators = Operators(store: try MonitorStore(path: scratch.file("monitor.db"))) {
            hand.now.withLock { $0 }
        }
        try await operators.set("soc", password: "five words")
        try await body(operators, hand)
    }

    /// Creates sessions until the disk is full.
    private static func fill(_ operators: Operators) async throws {
        try await operators.store.fill()
        try await operators.store.database.maintain { db in
            try db.script(
                "CREATE TRIGGER full BEFORE INSERT ON session BEGIN INSERT INTO ballast VALUES (zeroblob(9000)); END")
        }
    }

    @Test func operatorsSignInAndOutOnAFullDisk() async throws {
        try await Self.with { operators, hand in
            let before = try await operators.signIn("soc", password: "five words")
            try await Self.fill(operators)
            let session = try await operators.signIn("soc", password: "five words")
            let signedIn = try #require(try await operators.signedIn(session.token))
            #expect(signedIn.name == "soc" && !signedIn.readsOnly && signedIn.csrf == session.csrf)
            await #expect(throws: Problem.self) { try await operators.signIn("soc", password: "wrong") }
            await operators.signOut(session.token)
            #expect(try await operators.signedIn(session.token) == nil)
            // A tool's token is valid for a year: it is not created where it cannot be stored.
            await #expect(throws: SQLiteError.self) { try await operators.makeToken(for: "soc", purpose: "tool") }
            await operators.signOut(before.token)
            #expect(try await operators.signedIn(before.token) == nil)
            let third = try await operators.signIn("soc", password: "five words")
            hand.now.withLock { $0 += 13 * 3_600_000 }
            #expect(try await operators.signedIn(third.token) == nil)
        }
    }

    @Test func removalEndsSessionsInMemoryToo() async throws {
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

    /// An attacker cannot fill the memory.
    @Test func sessionsInMemoryAreBounded() {
        var sessions = InMemorySessions()
        for number in 0..<300 {
            sessions.begin(
                [UInt8(number & 255), UInt8(number >> 8)],
                .init(
                    session: .init(name: "soc", csrf: "", readsOnly: false, expires: Int64(number)), salt: []))
        }
        #expect(sessions.pending.count == 200)
        #expect(sessions.pending[[0, 0]] == nil, "the oldest went")
    }

    /// A code in addition to the password, as an authenticator app generates it from the URI.
    @Test func aSecondFactorRequiresACode() async throws {
        try await Self.with { operators, hand in
            let seconds = { hand.now.withLock { $0 } / 1_000 }
            let before = try await operators.signIn("soc", password: "five words")
            await #expect(throws: OperatorError.wrongPassword) {
                try await operators.makeFactor(for: "soc", password: "other words")
            }
            let factor = try await operators.makeFactor(for: "soc", password: "five words")
            let app = try #require(TOTP(factor.uri))
            await #expect(throws: OperatorError.wrongCode) { try await operators.turnOn(factor, code: "000000") }
            #expect(try await operators.signedIn(before.token) != nil, "nothing was changed")
            try await operators.turnOn(factor, code: app.code(at: seconds()))
            #expect(try await operators.signedIn(before.token) == nil, "it began without a code")
            func problem(_ code: String?, password: String = "five words") async -> String? {
                do {
                    _ = try await operators.signIn("soc", password: password, code: code)
                    return nil
                } catch {
                    return (error as? Problem)?.name
                }
            }
            #expect(await problem(nil) == "code-needed")
            #expect(await problem("") == "code-needed")
            #expect(await problem(app.code(at: seconds()), password: "wrong words") == "wrong-password")
            #expect(await problem("12345") == "wrong-code")
            let code = app.code(at: seconds())
            #expect(await problem("\(code.prefix(3)) \(code.suffix(3))") == nil)
            #expect(await problem(code) == "wrong-code", "a code works once")
            // Neither the password nor the file alone contains the seed.
            let box = try await operators.store.database.read { db in
                try db.first("SELECT totp FROM operator") { $0.blob(0) }
            }
            #expect(box?.count == 12 + 20 + 16)
        }
    }

    /// With the password, an attacker can guess five codes an hour, regardless of sign-ins in between.
    @Test func wrongCodesAreLimited() async throws {
        try await Self.with { operators, hand in
            let factor = try await operators.makeFactor(for: "soc", password: "five words")
            let app = try #require(TOTP(factor.uri))
            try await operators.turnOn(factor, code: app.code(at: hand.now.withLock { $0 } / 1_000))
            var outcomes: [String: Int] = [:]
            for number in 0..<12 {
                do {
                    _ = try await operators.signIn("soc", password: "five words", code: "\(100_000 + number)")
                } catch {
                    outcomes[(error as? Problem)?.name ?? "\(error)", default: 0] += 1
                }
                _ = try? await operators.signIn("soc", password: "five words")
            }
            #expect(outcomes == ["wrong-code": 5, "too-many-tries": 7])
            hand.now.withLock { $0 += 3_600_000 }
            _ = try await operators.signIn(
                "soc", password: "five words", code: app.code(at: hand.now.withLock { $0 } / 1_000))
        }
    }

    @Test func aCodeWorksOnceEvenOnAFullDisk() async throws {
        try await Self.with { operators, hand in
            let factor = try await operators.makeFactor(for: "soc", password: "five words")
            let app = try #require(TOTP(factor.uri))
            try await operators.turnOn(factor, code: app.code(at: hand.now.withLock { $0 } / 1_000))
            hand.now.withLock { $0 += 60_000 }
            try await Self.fill(operators)
            try await operators.store.database.maintain { db in
                try db.script("CREATE TRIGGER full2 BEFORE UPDATE ON operator BEGIN SELECT RAISE(ABORT, 'full'); END")
            }
            let code = app.code(at: hand.now.withLock { $0 } / 1_000)
            _ = try await operators.signIn("soc", password: "five words", code: code)
            await #expect(throws: Problem.self) {
                try await operators.signIn("soc", password: "five words", code: code)
            }
        }
    }

    @Test func aNewPasswordEndsTheSecondFactor() async throws {
        try await Self.with { operators, hand in
            #expect(try await operators.set("soc", password: "five words") == false)
            let factor = try await operators.makeFactor(for: "soc", password: "five words")
            let app = try #require(TOTP(factor.uri))
            try await operators.turnOn(factor, code: app.code(at: hand.now.withLock { $0 } / 1_000))
            #expect(try await operators.all().map(\.hasSecondFactor) == [true])
            #expect(try await operators.set("soc", password: "other words") == true)
            #expect(try await operators.all().map(\.hasSecondFactor) == [false])
            _ = try await operators.signIn("soc", password: "other words")
            try await operators.turnOffFactor(of: "soc")
            await #expect(throws: OperatorError.noSuchOperator("nobody")) {
                try await operators.turnOffFactor(of: "nobody")
            }
        }
    }
}
