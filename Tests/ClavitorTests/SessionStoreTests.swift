import FoundationEssentials
import Glibc
import Testing
import Wire

@testable import clavitor

@Suite final class SessionStoreTests {
    private let directory = "/tmp/clavitor-tests-\(UInt64.random(in: 0 ... .max))/deep/state"

    deinit {
        let root = directory.split(separator: "/").prefix(2).joined(separator: "/")
        try? FileManager.default.removeItem(atPath: "/" + root)
    }

    private func account(_ email: String, at server: String = "https://zurich.example.net") -> Account {
        let kdf = KDFBody(type: "argon2id", memoryKiB: 32_768, iterations: 6, parallelism: 4)
        return Account(
            server: server, email: email,
            pins: .init(origin: "zurich.example.net", salt: "salt", kdf: kdf, vault: "vault"),
            l2: .init(L2Body(generation: 1, wrappedKey: "box"), after: nil),
            session: .init(id: "id", token: "clv_ses_x", expiresAt: 1))
    }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func onlyTheUserCanReadTheFile() throws {
        let old = umask(0)
        defer { umask(old) }
        try SessionStore(directory: directory).keep(account("a@example.org"))
        #expect(mode(directory) == 0o700)
        #expect(mode(directory + "/sessions.json") == 0o600)
    }

    @Test func anOpenDirectoryBecomesPrivate() throws {
        let store = SessionStore(directory: directory)
        try store.keep(account("a@example.org"))
        _ = unsafe chmod(directory, 0o755)
        try store.keep(account("a@example.org"))
        #expect(mode(directory) == 0o700)
    }

    @Test func noTemporaryFileIsLeft() throws {
        try SessionStore(directory: directory).keep(account("a@example.org"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["sessions.json"])
    }

    @Test func theLatestAccountIsTheCurrentOne() throws {
        let store = SessionStore(directory: directory)
        try store.keep(account("a@example.org"))
        try store.keep(account("b@example.org", at: "https://tokyo.example.net"))
        #expect(try store.current(on: nil)?.email == "b@example.org")
        #expect(try store.current(on: ServerAddress("zurich.example.net"))?.email == "a@example.org")
        try store.forget(account("b@example.org", at: "https://tokyo.example.net"))
        #expect(try store.current(on: nil)?.email == "a@example.org")
    }

    @Test func aDamagedFileIsAnError() throws {
        let store = SessionStore(directory: directory)
        try store.keep(account("a@example.org"))
        try PrivateFile.replace(directory + "/sessions.json", with: Array("{".utf8))
        #expect(throws: CommandFailure.self) { try store.read() }
    }

    /// Concurrent commands, each with its own account.
    @Test func concurrentCommandsKeepEachOthersAccounts() async throws {
        let store = SessionStore(directory: directory)
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                let account = account("\(number)@example.org")
                group.addTask { _ = try store.keep(account) }
            }
            try await group.waitForAll()
        }
        #expect(try store.read().accounts.count == 20)
    }

    @Test func anUpdateAppliesToTheCurrentRecord() throws {
        let store = SessionStore(directory: directory)
        let old = account("a@example.org")
        try store.keep(old)
        var newer = old
        newer.session = .init(id: "newer", token: "clv_ses_y", expiresAt: 2)
        #expect(try store.keep(newer) == old)
        try store.update(old) { $0.l2.wrappedKey = "other" }
        newer.l2.wrappedKey = "other"
        #expect(try store.current(on: nil) == newer)
        try store.forget(old)
        try store.update(old) { $0.l2.wrappedKey = "gone" }
        #expect(try store.current(on: nil) == nil)
    }

    @Test func withoutAFileThereIsNoAccount() throws {
        #expect(try SessionStore(directory: directory).current(on: nil) == nil)
    }
}

@Suite struct PinTests {
    private let pins = Account.Pins(
        origin: "zurich.example.net", salt: "AAAA",
        kdf: KDFBody(type: "argon2id", memoryKiB: 32_768, iterations: 6, parallelism: 4), vault: "vault")

    @Test func theSameAnswerPasses() throws {
        try pins.check(pins.prelogin)
        try pins.check(vault: "vault")
    }

    @Test func anyOtherAnswerIsRefused() {
        var answer = pins.prelogin
        answer.origin = "tokyo.example.net"
        #expect(throws: CommandFailure.self) { try pins.check(answer) }
        answer = pins.prelogin
        answer.salt = "BBBB"
        #expect(throws: CommandFailure.self) { try pins.check(answer) }
        answer = pins.prelogin
        answer.kdf.iterations = 3
        #expect(throws: CommandFailure.self) { try pins.check(answer) }
        #expect(throws: CommandFailure.self) { try pins.check(vault: "another") }
    }
}
