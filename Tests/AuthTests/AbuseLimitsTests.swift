import Auth
import Encoding
import IPNetworks
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Who waits and who does not, when somebody guesses.
@Suite struct AbuseLimitsTests {
    let moments = Moments()
    let keys: NodeKeys
    let limits: AbuseLimits
    let rows = Rows()

    /// What is written down.
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

    /// What a killed process, and the next one, go by.
    private func restarted(_ rows: Rows) -> AbuseLimits {
        AbuseLimits(keys: keys, now: moments.source) { rows[$0] }
    }

    private func network(_ number: Int) -> IPNetwork? {
        IPAddress(bytes: [10, UInt8(number >> 8 & 255), UInt8(number & 255), 1])?.rateLimitPrefix
    }

    private func attempt(_ account: Int, from network: Int, device: [UInt8]? = nil) -> AbuseLimits.Attempt {
        AbuseLimits.Attempt(account: account.bigEndianBytes, network: self.network(network), device: device)
    }

    /// Guesses so often, each if it is admitted; how many were.
    private func guess(_ count: Int, _ attempt: (Int) -> AbuseLimits.Attempt) -> Int {
        (0..<count).count { number in
            let attempt = attempt(number)
            guard (try? limits.admit(attempt)) != nil else { return false }
            return fail { try limits.failed(attempt) }
        }
    }

    /// Writes down what a failure costs.
    private func fail(_ cost: () throws -> [AbuseRow]) -> Bool {
        guard let cost = try? cost() else { return false }
        rows.put(cost)
        return true
    }

    private func isAdmitted(_ attempt: AbuseLimits.Attempt) -> Bool {
        (try? limits.admit(attempt)) != nil
    }

    enum Attacker: Sendable {
        case oneAccountFromOneNetwork, oneAccountFromManyNetworks, manyAccountsFromOneNetwork
    }

    enum Person: Sendable {
        case withDevice, knownFromHere, stranger
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var attacker: Attacker
        var guesses = 10_000
        /// How many of them were tried.
        var tried: Int
        var person: Person
        /// Whose account: 0 is the one that is attacked.
        var account: Int
        /// Where the person is: 0 is where the attacker is.
        var network: Int
        var isAdmitted: Bool
    }

    @Test(arguments: [
        Case(
            testDescription: "the owner, on a device, beside the attacker", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .withDevice, account: 0, network: 0, isAdmitted: true),
        Case(
            testDescription: "the owner, elsewhere", attacker: .oneAccountFromOneNetwork, tried: 10, person: .stranger,
            account: 0, network: 1, isAdmitted: true),
        Case(
            testDescription: "the owner, beside the attacker, without device", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .stranger, account: 0, network: 0, isAdmitted: false),
        Case(
            testDescription: "a neighbour of the attacker, another account", attacker: .oneAccountFromOneNetwork,
            tried: 10, person: .stranger, account: 1, network: 0, isAdmitted: true),
        Case(
            testDescription: "the owner at home, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .knownFromHere, account: 0, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "the owner on a device, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .withDevice, account: 0, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "a stranger at the account that a botnet attacks", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .stranger, account: 0, network: 9_000, isAdmitted: false),
        Case(
            testDescription: "another account, while a botnet guesses", attacker: .oneAccountFromManyNetworks,
            tried: 100, person: .stranger, account: 20_000, network: 9_000, isAdmitted: true),
        Case(
            testDescription: "a neighbour with a device, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .withDevice, account: 20_000, network: 0,
            isAdmitted: true),
        Case(
            testDescription: "a neighbour known here, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .knownFromHere, account: 20_000, network: 0,
            isAdmitted: true),
        Case(
            testDescription: "a new neighbour, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .stranger, account: 20_000, network: 0,
            isAdmitted: false),
        Case(
            testDescription: "somebody elsewhere, while one guess goes to each account",
            attacker: .manyAccountsFromOneNetwork, tried: 300, person: .stranger, account: 20_000, network: 1,
            isAdmitted: true),
    ])
    func whoWaits(_ example: Case) {
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

    @Test func successesCostNothing() {
        let honest = attempt(0, from: 0)
        for _ in 0..<1_000 {
            #expect(isAdmitted(honest))
            limits.succeeded(honest)
        }
    }

    @Test func aRefusedAttemptIsNotCharged() {
        _ = guess(1_000) { _ in attempt(0, from: 0) }
        moments.advance(by: 90)
        #expect(isAdmitted(attempt(0, from: 0)), "the thousand did not pile up")
    }

    @Test func oneGuessIsForgivenAtATime() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        var tried = 0
        for _ in 0..<20 {
            moments.advance(by: 90)
            tried += guess(5) { _ in attempt(0, from: 0) }
        }
        #expect(tried == 20)
    }

    @Test func theWaitThatIsToldIsTheWaitThatHelps() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        #expect(throws: AuthError.tooManyAttempts(retryAfter: 90)) { try limits.admit(attempt(0, from: 0)) }
        moments.advance(by: 89)
        #expect(throws: AuthError.tooManyAttempts(retryAfter: 1)) { try limits.admit(attempt(0, from: 0)) }
        moments.advance(by: 1)
        #expect(isAdmitted(attempt(0, from: 0)))
    }

    @Test func afterAQuietTimeAllIsForgotten() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        moments.advance(by: 900)
        #expect(guess(20) { _ in attempt(0, from: 0) } == 10)
    }

    @Test func aDeviceHasABoundToo() {
        let device = [UInt8](repeating: 7, count: 32)
        #expect(guess(1_000) { _ in attempt(0, from: 0, device: device) } == 20)
    }

    @Test func aKnownPlaceIsForgottenAfterThirtyDays() {
        let honest = attempt(0, from: 9_000)
        limits.succeeded(honest)
        moments.advance(by: 30 * 86_400)
        _ = guess(10_000) { attempt(0, from: $0 % 5_000) }
        #expect(!isAdmitted(honest))
    }

    @Test func aClockThatGoesBackForgivesNothing() {
        _ = guess(10) { _ in attempt(0, from: 0) }
        moments.advance(by: -86_400)
        #expect(!isAdmitted(attempt(0, from: 0)))
    }

    /// What fills memory is fuller than what it is to push out, and newer.
    @Test func whateverElseFailsNoCodeIsForgiven() {
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

    /// The failure for which memory makes room is counted on top of the others of its key, though these are the oldest.
    @Test(arguments: 49_998...50_001) func whoeverMakesRoomForgetsNothing(_ others: Int) throws {
        let victim = attempt(0, from: 0)
        for _ in 0..<4 { rows.put(try limits.failedCode(victim)) }
        moments.advance(by: 2)
        for _ in 0..<others { rows.put(try limits.failedProof(in: CredentialID.random())) }
        let row = try #require(try limits.failedCode(victim).first)
        #expect(row.level > 4_900)
    }

    @Test func aFloodOfNewAccountsDoesNotFreeAnAttacker() {
        // A third of the buckets of one network is never full: from many networks, one guess each.
        _ = guess(100) { attempt(0, from: $0) }
        #expect(!isAdmitted(attempt(0, from: 60_000)))
        _ = guess(60_000) { attempt(1 + $0, from: $0) }
        #expect(!isAdmitted(attempt(0, from: 60_000)))
    }

    /// Registers if it is let in.
    private func register(from network: Int) -> Bool {
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

    @Test func aRegistrationThatFailsCostsNothing() {
        for _ in 0..<100 {
            #expect(register(from: 0))
            limits.forgiveRegistration(from: network(0))
        }
        #expect(register(from: 0))
    }

    struct Restart: CustomTestStringConvertible {
        var testDescription: String
        /// Seconds between the last guess and the start.
        var pause: Int64
        var tried: Int
    }

    /// Rows are what a killed process leaves.
    @Test(arguments: [
        Restart(testDescription: "at once", pause: 0, tried: 0),
        Restart(testDescription: "before one is forgiven", pause: 89, tried: 0),
        Restart(testDescription: "when one is forgiven", pause: 90, tried: 1),
        Restart(testDescription: "when half are", pause: 450, tried: 5),
        Restart(testDescription: "when all are", pause: 900, tried: 10),
    ])
    func aRestartForgivesNothing(_ example: Restart) throws {
        for _ in 0..<10 { rows.put(try limits.failed(attempt(0, from: 0))) }
        moments.advance(by: example.pause)
        let restarted = restarted(rows)
        let tried = (0..<20).count { _ in
            guard (try? restarted.admit(attempt(0, from: 0))) != nil else { return false }
            return fail { try restarted.failed(attempt(0, from: 0)) }
        }
        #expect(tried == example.tried)
    }

    /// Rows that no node wrote: no sum of them is out of range.
    @Test func plantedRowsStopNoLoginForLong() throws {
        let keys = try limits.failed(attempt(0, from: 0)).map(\.key)
        let times: [Int64] = [.min, -1, 0, moments.now, moments.now + 90, .max]
        for (at, forgiven) in times.flatMap({ at in times.map { (at, $0) } }) {
            for level in [Int64.min, 0, 1, .max] {
                let rows = Rows()
                rows.put(keys.map { AbuseRow(key: $0, level: level, at: at, forgiven: forgiven) })
                let restarted = restarted(rows)
                do {
                    try restarted.admit(attempt(0, from: 0))
                } catch AuthError.tooManyAttempts(let wait) {
                    // The largest burst, at the slowest that any key forgives.
                    #expect(wait <= 300 * 720)
                }
                #expect(try restarted.failed(attempt(0, from: 0)).allSatisfy { $0.level > 0 })
            }
        }
    }

    @Test func aRowSaysNothingToWhoHasAnotherKey() throws {
        let root = RootKeys.generate()
        let other = AbuseLimits(
            keys: try NodeKeys(root: root, stored: NodeKeys.makeStored(root: root)), now: moments.source
        ) { _ in nil }
        let mine = Set(try limits.failed(attempt(0, from: 0)).map(\.key))
        #expect(mine.count == 3)
        #expect(mine.isDisjoint(with: try other.failed(attempt(0, from: 0)).map(\.key)))
    }

    @Test func registrationsDoNotSpendWhatLoginsNeed() {
        for _ in 0..<100 { _ = register(from: 0) }
        #expect(isAdmitted(attempt(0, from: 0)))
    }
}
