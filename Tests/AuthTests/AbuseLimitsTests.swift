import Auth
import Encoding
import IPNetworks
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Rate limits for failed authentication.
@Suite struct AbuseLimitsTests {
    let moments = Moments()
    let keys: NodeKeys
    let limits: AbuseLimits
    let rows = Rows()

    /// Stored rows.
    final class Rows: Sendable {
        private let rows = Mutex<[[UInt8]: AbuseRow]>([:])

        subscript(key: [UInt8]) -> AbuseRow? { rows.withLock { $0[key] } }

        func put(_ new: [AbuseRow]) { rows.withLock { rows in for row in new { rows[row.key] = row } } }
    }

    init() throws {
        let root = RootKeys.generate()
        keys = try NodeKeys(root: root, stored: NodeKeys.makeStored(root: root))
        limits = AbuseLimits(keys: keys, now: moments.source) { [rows] in rows[$0] }
    }

    /// Limits after a restart with only the stored rows.
    func restarted(_ rows: Rows) -> AbuseLimits {
        AbuseLimits(keys: keys, now: moments.source) { rows[$0] }
    }

    func network(_ number: Int) -> IPNetwork? {
        IPAddress(bytes: [10, UInt8(number >> 8 & 255), UInt8(number & 255), 1])?.rateLimitPrefix
    }

    func attempt(_ account: Int, from network: Int, device: [UInt8]? = nil) -> AbuseLimits.Attempt {
        AbuseLimits.Attempt(account: Int64(account).bigEndianBytes, network: self.network(network), device: device)
    }

    /// Makes admitted guesses and returns their number.
    func guess(_ count: Int, _ attempt: (Int) -> AbuseLimits.Attempt) -> Int {
        (0..<count).count { number in
            let attempt = attempt(number)
            guard (try? limits.admit(attempt)) != nil else { return false }
            return fail { try limits.failed(attempt) }
        }
    }

    /// Stores a failure's rows.
    func fail(_ cost: () throws -> [AbuseRow]) -> Bool {
        guard let cost = try? cost() else { return false }
        rows.put(cost)
        return true
    }

    func isAdmitted(_ attempt: AbuseLimits.Attempt) -> Bool {
        (try? limits.admit(attempt)) != nil
    }

    enum Attacker: Sendable {
        case oneAccountFromOneNetwork, oneAccountFromManyNetworks, manyAccountsFromOneNetwork
    }

    enum Person: Sendable {
        case withDevice, knownFromHere, unknown
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var attacker: Attacker
        var guesses = 10_000
        /// Number of admitted guesses.
        var tried: Int
        var person: Person
        /// The person's account: 0 is the attacked one.
        var account: Int
        /// The person's network: 0 is the attacker's.
        var network: Int
        var isAdmitted: Bool
    }

    @Test(arguments: [
        Case(
            testDescription: "the owner, on a device, beside the attacker", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .withDevice, account: 0, network: 0, isAdmitted: true),
        Case(
            testDescription: "the owner, elsewhere", attacker: .oneAccountFromOneNetwork, tried: 10, person: .unknown,
            account: 0, network: 1, isAdmitted: true),
        Case(
            testDescription: "the owner, beside the attacker, without device", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .unknown, account: 0, network: 0, isAdmitted: false),
        Case(
            testDescription: "another account on the attacker's network", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .unknown, account: 1, network: 0, isAdmitted: true),
        Case(
            testDescription: "the owner at home, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .knownFromHere, account: 0, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "the owner on a device, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .withDevice, account: 0, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "an unknown client at the account that a botnet attacks",
            attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .unknown, account: 0, network: 9_000, isAdmitted: false),
        Case(
            testDescription: "another account, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .unknown, account: 20_000, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "a known device on the attacker's network, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .withDevice, account: 20_000, network: 0,
            isAdmitted: true),
        Case(
            testDescription: "a trusted account on the attacker's network, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .knownFromHere, account: 20_000, network: 0,
            isAdmitted: true),
        Case(
            testDescription: "a new account on the attacker's network, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .unknown, account: 20_000, network: 0,
            isAdmitted: false),
        Case(
            testDescription: "another network, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .unknown, account: 20_000, network: 1,
            isAdmitted: true),
    ])
    func eachAttackerIsLimited(_ example: Case) {
        let device: [UInt8]? = example.person == .withDevice ? [UInt8](repeating: 7, count: 32) : nil
        let honest = attempt(example.account, from: example.network, device: device)
        if example.person == .knownFromHere { limits.succeeded(honest) }
        let tried = guess(example.guesses) { number in
            switch example.attacker {
            case .oneAccountFromOneNetwork: attempt(0, from: 0)
            case .oneAccountFromManyNetworks: attempt(0, from: number % 5_000)
            case .manyAccountsFromOneNetwork: attempt(number, from: 0)
            }
        }
        #expect(tried == example.tried)
        #expect(isAdmitted(honest) == example.isAdmitted)
    }

    @Test func successesAreNotCounted() {
        let honest = attempt(0, from: 0)
        for _ in 0..<1_000 {
            #expect(isAdmitted(honest))
            limits.succeeded(honest)
        }
    }

    @Test func aRefusedAttemptIsNotCounted() {
        _ = guess(1_000) { _ in attempt(0, from: 0) }
        moments.advance(by: 90)
        #expect(isAdmitted(attempt(0, from: 0)), "the thousand did not pile up")
    }

    @Test func oneFailureExpiresAtATime() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        var tried = 0
        for _ in 0..<20 {
            moments.advance(by: 90)
            tried += guess(5) { _ in attempt(0, from: 0) }
        }
        #expect(tried == 20)
    }

    @Test func theReportedWaitIsSufficient() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        #expect(throws: AuthError.tooManyAttempts(retryAfter: 90)) { try limits.admit(attempt(0, from: 0)) }
        moments.advance(by: 89)
        #expect(throws: AuthError.tooManyAttempts(retryAfter: 1)) { try limits.admit(attempt(0, from: 0)) }
        moments.advance(by: 1)
        #expect(isAdmitted(attempt(0, from: 0)))
    }

    @Test func afterAQuietPeriodAllFailuresExpire() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        moments.advance(by: 900)
        #expect(guess(20) { _ in attempt(0, from: 0) } == 10)
    }

    @Test func aDeviceIsLimitedToo() {
        let device = [UInt8](repeating: 7, count: 32)
        #expect(guess(1_000) { _ in attempt(0, from: 0, device: device) } == 20)
    }

    @Test func aTrustedNetworkExpiresAfterThirtyDays() {
        let honest = attempt(0, from: 9_000)
        limits.succeeded(honest)
        moments.advance(by: 30 * 86_400)
        _ = guess(10_000) { attempt(0, from: $0 % 5_000) }
        #expect(!isAdmitted(honest))
    }

    @Test func aClockThatGoesBackResetsNoLimit() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        moments.advance(by: -86_400)
        #expect(!isAdmitted(attempt(0, from: 0)))
    }

    /// The buckets that fill memory have higher levels than those to evict, and are newer.
    @Test func otherFailuresDoNotResetTheCodeLimit() {
        let victim = attempt(0, from: 0)
        func guessCodes() -> Int {
            (0..<10).count { _ in
                guard (try? limits.admitCode(victim)) != nil else { return false }
                return fail { try limits.failedCode(victim) }
            }
        }
        for _ in 0..<3 { #expect(fail { try limits.failedCode(victim) }) }
        for _ in 0..<3 {
            for _ in 0..<30_000 {
                let session = CredentialID.random()
                for _ in 0..<4 { _ = fail { try limits.failedProof(in: session) } }
            }
        }
        #expect(guessCodes() == 2)
        _ = guess(60_000) { attempt(1 + $0, from: $0) }
        #expect(guessCodes() == 0)
        #expect(guess(1) { _ in victim } == 1, "passwords are counted apart from codes")
    }

    /// A failure that causes an eviction is added to its key's earlier failures, although these are the oldest.
    @Test(arguments: 49_998...50_001) func evictionLosesNoFailure(_ others: Int) throws {
        let victim = attempt(0, from: 0)
        for _ in 0..<4 { rows.put(try limits.failedCode(victim)) }
        moments.advance(by: 2)
        for _ in 0..<others { rows.put(try limits.failedProof(in: CredentialID.random())) }
        let row = try #require(try limits.failedCode(victim).first)
        #expect(row.level > 4_900)
    }

    @Test func aFloodOfNewAccountsDoesNotResetAnAttackersLimit() {
        // A third of the buckets of one network is never full: from many networks, one guess each.
        _ = guess(100) { attempt(0, from: $0) }
        #expect(!isAdmitted(attempt(0, from: 60_000)))
        _ = guess(60_000) { attempt(1 + $0, from: $0) }
        #expect(!isAdmitted(attempt(0, from: 60_000)))
    }

    /// Registers if admitted.
    func register(from network: Int) -> Bool {
        fail { try limits.takeRegistration(from: self.network(network)) }
    }

    @Test func registrationsAreBoundedPerNetwork() {
        let admitted = (0..<100).count { _ in register(from: 0) }
        #expect(admitted == 30)
        #expect(register(from: 1))
        moments.advance(by: 120)
        #expect(register(from: 0))
        #expect(!register(from: 0))
    }

    @Test func aFailedRegistrationIsNotCounted() {
        for _ in 0..<100 {
            #expect(register(from: 0))
            limits.refundRegistration(from: network(0))
        }
        #expect(register(from: 0))
    }

    @Test func registrationsDoNotUseUpTheLoginLimits() {
        for _ in 0..<100 { _ = register(from: 0) }
        #expect(isAdmitted(attempt(0, from: 0)))
    }
}
