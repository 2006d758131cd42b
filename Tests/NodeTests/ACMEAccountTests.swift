import Autocert
import Foundation
import Testing

/// Account operations at a real CA.
@Suite(.timeLimit(.minutes(15))) struct ACMEAccountTests {
    /// A client of pebble whose connection is closed at the end.
    private func with<R>(
        _ key: AccountKey = AccountKey(), at ca: Pebble, account: String? = nil, _ body: (ACMEClient) async throws -> R
    ) async throws -> R {
        let web = try ACMEHTTPClient(trustedPEM: Array(Data(contentsOf: URL(filePath: ca.trust))))
        let transport: ACMETransport = { (request) async throws(ACMEError) in try await web.send(request) }
        let client = ACMEClient(
            directory: ca.directory, key: key, account: account, now: { Date() }, transport: transport)
        let result: Result<R, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        try await web.shutdown()
        return try result.get()
    }

    @Test func anAccountIsFoundAgainByItsKey() async throws {
        let ca = try Pebble()
        let key = AccountKey()
        let first = try await with(key, at: ca) { try await $0.register(contact: ["soc@example.org"], external: nil) }
        let second = try await with(key, at: ca) { try await $0.register(contact: [], external: nil) }
        #expect(first == second)
    }

    @Test func afterAKeyChangeOnlyTheNewKeyWorks() async throws {
        let ca = try Pebble(.init(badNonces: 0))
        let (old, new) = (AccountKey(), AccountKey())
        let account = try await with(old, at: ca) { client in
            let account = try await client.register(contact: [], external: nil)
            try await client.changeKey(to: new)
            _ = try await client.order(["vault.example.org"], profile: nil, replaces: nil)
            return account
        }
        let byNew = try await with(new, at: ca, account: account) {
            try await $0.order(["vault.example.org"], profile: nil, replaces: nil).order.status
        }
        #expect(byNew == .pending)
        await #expect(throws: ACMEError.self) {
            try await with(old, at: ca, account: account) {
                try await $0.order(["vault.example.org"], profile: nil, replaces: nil)
            }
        }
    }

    @Test func aDeactivatedAccountCannotOrder() async throws {
        let ca = try Pebble(.init(badNonces: 0))
        let key = AccountKey()
        let account = try await with(key, at: ca) { client in
            let account = try await client.register(contact: [], external: nil)
            try await client.deactivate()
            return account
        }
        await #expect(throws: ACMEError.self) {
            try await with(key, at: ca, account: account) {
                try await $0.order(["vault.example.org"], profile: nil, replaces: nil)
            }
        }
    }

    @Test func anUntrustedDirectoryIsRejected() async throws {
        let (ca, other) = (try Pebble(), try Pebble())
        let web = try ACMEHTTPClient(trustedPEM: Array(Data(contentsOf: URL(filePath: other.trust))))
        let transport: ACMETransport = { (request) async throws(ACMEError) in try await web.send(request) }
        let client = ACMEClient(
            directory: ca.directory, key: AccountKey(), account: nil, now: { Date() }, transport: transport)
        await #expect(throws: ACMEError.self) { try await client.directory() }
        try await web.shutdown()
    }
}
