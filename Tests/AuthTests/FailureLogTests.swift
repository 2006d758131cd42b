import Auth
import Crypto
import Encoding
import IPNetworks
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct FailureLogTests {
    let moments = Moments()
    let written = Written()
    let sealer: AuditSealer
    let log: FailureLog

    final class Written: Sendable {
        private let state = Mutex<(lines: [SealedAuditLine], failures: Int)>(([], 0))
        var lines: [SealedAuditLine] { state.withLock { $0.lines } }
        func failNext() { state.withLock { $0.failures = 1 } }

        struct Refused: Error {}

        func commit(_ lines: [SealedAuditLine]) throws {
            try state.withLock { state in
                guard state.failures == 0 else {
                    state.failures -= 1
                    throw Refused()
                }
                state.lines += lines
            }
        }
    }

    init() throws {
        let root = RootKeys.generate()
        let keys = try NodeKeys(root: root, stored: NodeKeys.makeStored(root: root))
        // No vault has a key, as after the deletion of the account.
        sealer = AuditSealer(keys: keys, now: moments.source) { _ in nil }
        log = FailureLog(audit: sealer, now: moments.source) { [written] in try written.commit($1) }
    }

    private var events: [AuditEvent] {
        get throws { try written.lines.compactMap { try sealer.open($0) } }
    }

    private func fail(
        _ account: UInt8 = 1, reason: String = "password", network: UInt8 = 1, vault: VaultID? = nil
    ) async throws {
        try await log.record(
            AuditEvent(.login, by: .init(.unauthenticated), outcome: .failed, reason: reason), account: [account],
            network: IPAddress(bytes: [10, 0, network, 1])?.rateLimitPrefix, vault: vault)
    }

    /// A full table for the minute hides nothing from a vault's owner, and shows nothing of other vaults.
    @Test func aFullMinuteStillReportsToEachOwner() async throws {
        let node = try TestVault()
        let (mine, other) = (try await node.owner().vault, try await node.owner(Person("b@example.org")).vault)
        let log = FailureLog(audit: node.audit, now: node.moments.source) { [written] in try written.commit($1) }
        func fail(_ account: [UInt8], _ vault: VaultID?) async throws {
            try await log.record(
                AuditEvent(.login, by: .init(.unauthenticated), outcome: .failed, reason: "code"), account: account,
                network: nil, vault: vault)
        }
        for index in 0..<500 { try await fail([UInt8(index / 256), UInt8(index % 256)], nil) }
        for vault in [nil, other, mine, mine, mine] { try await fail([9, 9, 9], vault) }
        node.moments.advance(by: 60)
        try await log.flush()
        func counts(_ vault: VaultID) throws -> [Int?] {
            try written.lines.filter { $0.vault == vault }.map { try node.audit.open($0)?.count }
        }
        #expect(try counts(mine) == [nil, 2])
        #expect(try counts(other) == [nil])
    }

    @Test func theFirstFailureIsWrittenImmediately() async throws {
        try await fail()
        let events = try events
        #expect(events.map(\.count) == [nil])
        #expect(events.first?.outcome == .failed)
    }

    @Test func furtherFailuresOfTheMinuteShareOneLine() async throws {
        for _ in 0..<500 { try await fail() }
        #expect(written.lines.count == 1)
        moments.advance(by: 60)
        try await log.flush()
        let counts = try events.map(\.count)
        #expect(counts == [nil, 499])
    }

    @Test func nothingIsWrittenTwice() async throws {
        for _ in 0..<5 { try await fail() }
        moments.advance(by: 60)
        try await log.flush()
        try await log.flush()
        moments.advance(by: 60)
        try await log.flush(isStopping: true)
        #expect(written.lines.count == 2)
    }

    @Test func aSingleFailureLeavesNoSecondLine() async throws {
        try await fail()
        moments.advance(by: 60)
        try await log.flush()
        #expect(written.lines.count == 1)
    }

    @Test func theNextMinuteStartsANewCount() async throws {
        for _ in 0..<3 { try await fail() }
        moments.advance(by: 60)
        for _ in 0..<3 { try await fail() }
        let counts = try events.map(\.count)
        #expect(counts == [nil, 2, nil])
    }

    @Test func pendingCountsAreWrittenWhenStopping() async throws {
        for _ in 0..<4 { try await fail() }
        try await log.flush()
        #expect(written.lines.count == 1, "the minute is not over")
        try await log.flush(isStopping: true)
        let counts = try events.map(\.count)
        #expect(counts == [nil, 3])
    }

    @Test func kindsAreCountedSeparately() async throws {
        for _ in 0..<3 {
            try await fail(1)
            try await fail(2)
            try await fail(1, reason: "second-factor")
            try await fail(1, network: 2)
        }
        try await log.flush(isStopping: true)
        let counts = try events.map(\.count)
        #expect(counts == [nil, nil, nil, nil, 2, 2, 2, 2])
    }

    @Test func aFloodOfKindsDoesNotFillTheDisk() async throws {
        for number in 0..<30_000 {
            try await log.record(
                AuditEvent(.login, by: .init(.unauthenticated), outcome: .failed, reason: "password"),
                account: Int64(number).bigEndianBytes, network: nil, vault: nil)
        }
        #expect(written.lines.count == 51)
    }

    /// A client with its own IPv6 prefix uses a new network for each attempt, all day.
    @Test func aDayOfAttemptsFromNewNetworksIsAFewThousandLines() async throws {
        for minute in 0..<1_440 {
            for number in 0..<60 {
                try await log.record(
                    AuditEvent(.login, by: .init(.unauthenticated), outcome: .failed, reason: "password"), account: [1],
                    network: IPAddress(
                        bytes: Int64(minute * 60 + number).bigEndianBytes + [UInt8](repeating: 0, count: 8))?
                        .rateLimitPrefix, vault: nil)
            }
            moments.advance(by: 60)
        }
        try await log.flush()
        // Five a minute, the first of the rest, and the count of the rest.
        #expect(written.lines.count < 7 * 1_440 + 50)
        #expect(try events.reduce(0) { $0 + ($1.count ?? 1) } == 1_440 * 60, "none is lost")
    }

    /// Fifty kinds are distinguished; the line that counts the others names none of them.
    @Test func aCountOfSeveralKindsNamesNone() async throws {
        for number in UInt8(0)..<60 {
            try await log.record(
                AuditEvent(
                    .denied, by: .init(.agent, PrincipalID.random()), from: "10.0.0.\(number)", outcome: .denied,
                    entry: EntryID.random(), reason: "cidr"), account: [number], network: nil, vault: nil)
        }
        try await log.flush(isStopping: true)
        let events = try events
        #expect(events.filter { $0.count == nil }.count == 51)
        #expect(events.filter { $0.count == nil }.allSatisfy { $0.from != nil && $0.actor.id != nil })
        let counted = try #require(events.last)
        #expect(counted == AuditEvent(.denied, by: .init(.agent), outcome: .denied).counted(9))
    }

    @Test func aVaultUsesUpOnlyItsOwnBurst() async throws {
        let node = try TestVault()
        let (mine, other) = (try await node.owner().vault, try await node.owner(Person("b@example.org")).vault)
        let log = FailureLog(audit: node.audit, now: node.moments.source) { [written] in try written.commit($1) }
        for vault in [nil, mine, other] {
            for number in UInt8(0)..<100 {
                try await log.record(
                    AuditEvent(.login, by: .init(.unauthenticated), outcome: .failed, reason: "code"),
                    account: [number],
                    network: nil, vault: vault)
            }
        }
        for vault in [nil, mine, other] { #expect(written.lines.filter { $0.vault == vault }.count == 51) }
    }

    @Test func aFirstFailureThatCouldNotBeWrittenIsRetried() async throws {
        written.failNext()
        await #expect(throws: Written.Refused.self) { try await fail() }
        try await fail()
        let counts = try events.map(\.count)
        #expect(counts == [nil], "nothing is answered that is not on record")
    }

    @Test func aCountThatCouldNotBeWrittenIsKept() async throws {
        for _ in 0..<4 { try await fail() }
        moments.advance(by: 60)
        written.failNext()
        await #expect(throws: Written.Refused.self) { try await log.flush() }
        try await log.flush()
        let counts = try events.map(\.count)
        #expect(counts == [nil, 3])
    }

    @Test func aVaultDeletedWithinTheMinuteBlocksNoOtherLine() async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        for _ in 0..<3 { _ = await thrown { try await node.login(Person(password: "wrong")) } }
        try await node.accounts.delete(as: owner)
        node.moments.advance(by: 60)
        let error = await thrown { try await node.login(Person("somebody@else.org")) }
        #expect(error as? AuthError == .badCredentials)
    }
}

extension AuditEvent {
    fileprivate func counted(_ count: Int) -> AuditEvent {
        var event = self
        event.count = count
        return event
    }
}
