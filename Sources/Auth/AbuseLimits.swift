package import IPNetworks
import Synchronization
package import Vault
package import VaultFormat

/// Rate limits for failed authentication, as leaky buckets.
///
/// Only failures count. A guess counts against the pair of account and network, so that an attacker behind the same
/// address cannot lock other accounts out; against the whole account, so that many networks do not multiply the
/// guesses; and against the whole network, so that one guess at each of many accounts is limited. A device that
/// logged in before, and an account that logged in from this network before, are exempt from the last two. The device also has
/// its own limit, so that guesses at the same account from the same network do not stop it.
///
/// Counts are rows, written with each failure before it is answered; memory caches the recent ones. So neither a restart nor
/// an overflow of the cache resets a count.
package final class AbuseLimits: Sendable {
    private let buckets = Mutex<[[UInt8]: Bucket]>([:])
    private let trusted = Mutex<[Pair: Int64]>([:])
    private let keys: NodeKeys
    private let now: @Sendable () -> Int64
    private let stored: @Sendable (_ key: [UInt8]) throws -> AbuseRow?
    /// About 150 bytes each.
    private static let mostBuckets = 50_000

    package struct Attempt: Sendable {
        /// The account's e-mail index, also for an address without an account.
        package let account: [UInt8]
        package let network: IPNetwork?
        /// A device that proved that it logged in here since the last change of password.
        package let device: [UInt8]?
        /// Whether it did so with a second-factor code: with the password alone an attacker can register any number of devices.
        package let hasPassedCode: Bool

        package init(account: [UInt8], network: IPNetwork?, device: [UInt8]?, hasPassedCode: Bool = false) {
            self.account = account
            self.network = network
            self.device = device
            self.hasPassedCode = hasPassedCode
        }
    }

    private struct Pair: Hashable {
        let account: [UInt8]
        let network: IPNetwork?
    }

    private enum Key {
        case pair(Pair)
        case device([UInt8])
        case account([UInt8])
        case network(IPNetwork?)
        case registrations(IPNetwork?)
        /// Wrong codes after a correct password: per account, and separately per device that logged in before, so that a thief of
        /// the password cannot lock the owner out.
        case code([UInt8])
        case codeOfDevice([UInt8])
        /// Wrong proofs, counted per session.
        case proof(CredentialID)
        case codeOfProof(CredentialID)

        /// The burst of failures, and the seconds after which one expires.
        var allowance: (burst: Double, seconds: Double) {
            switch self {
            case .pair: (10, 90)
            case .device: (20, 60)
            case .account: (100, 36)
            case .network: (300, 3)
            case .registrations: (30, 120)
            // Five an hour: with three valid codes in a million, a success probability of 0.04 % a day.
            case .code, .codeOfDevice, .proof, .codeOfProof: (5, 720)
            }
        }

        /// The row's key: 16 bytes.
        func digest(_ keys: NodeKeys) -> [UInt8] {
            switch self {
            case .pair(let pair): keys.abuseKey("pair", pair.account, Self.bytes(pair.network))
            case .device(let device): keys.abuseKey("device", device)
            case .account(let account): keys.abuseKey("account", account)
            case .network(let network): keys.abuseKey("network", Self.bytes(network))
            case .registrations(let network): keys.abuseKey("registrations", Self.bytes(network))
            case .code(let account): keys.abuseKey("code", account)
            case .codeOfDevice(let device): keys.abuseKey("code-device", device)
            case .proof(let session): keys.abuseKey("proof", session.bytes)
            case .codeOfProof(let session): keys.abuseKey("code-proof", session.bytes)
            }
        }

        private static func bytes(_ network: IPNetwork?) -> [UInt8] { Array((network?.text ?? "").utf8) }
    }

    private struct Bucket {
        var level: Double
        var at: Int64
        let allowance: (burst: Double, seconds: Double)

        func level(at time: Int64) -> Double { max(0, level - Double(max(0, time - at)) / allowance.seconds) }
    }

    /// `stored`: Reads the row of a key.
    package init(
        keys: NodeKeys, now: @escaping @Sendable () -> Int64,
        stored: @escaping @Sendable (_ key: [UInt8]) throws -> AbuseRow?
    ) {
        self.keys = keys
        self.now = now
        self.stored = stored
    }

    // MARK: Log-ins

    /// Checks the limits of an attempt.
    ///
    /// - Throws: `AuthError.tooManyAttempts` when the attempt must wait; like all methods here, also the store's error.
    package func admit(_ attempt: Attempt) throws {
        try admit(keys(of: attempt))
    }

    /// Counts a failed attempt.
    ///
    /// - Returns: The rows to write before the failure is answered.
    package func failed(_ attempt: Attempt) throws -> [AbuseRow] {
        try charge(keys(of: attempt))
    }

    /// The same for the second-factor code, after a correct password.
    package func admitCode(_ attempt: Attempt) throws {
        try admit([codeKey(of: attempt)])
    }

    package func failedCode(_ attempt: Attempt) throws -> [AbuseRow] {
        try charge([codeKey(of: attempt)])
    }

    /// Trusts the account on this network for thirty days or until the node restarts.
    package func succeeded(_ attempt: Attempt) {
        let time = now()
        trusted.withLock { trusted in
            if trusted.count >= Self.mostBuckets { trusted = trusted.filter { $0.value > time } }
            if trusted.count >= Self.mostBuckets { trusted.removeAll() }
            trusted[Pair(account: attempt.account, network: attempt.network)] = time + 30 * 86_400
        }
    }

    /// The same for a passkey that no account has.
    package func admitUnknown(from network: IPNetwork?) throws { try admit([.network(network)]) }
    package func failedUnknown(from network: IPNetwork?) throws -> [AbuseRow] { try charge([.network(network)]) }

    // MARK: Within a session

    /// Checks the limits of the proof in a request.
    package func admitProof(in session: CredentialID) throws {
        try admit([.proof(session), .codeOfProof(session)])
    }

    package func failedProof(in session: CredentialID) throws -> [AbuseRow] { try charge([.proof(session)]) }
    package func failedProofCode(in session: CredentialID) throws -> [AbuseRow] { try charge([.codeOfProof(session)]) }

    // MARK: Registrations

    /// Counts a registration before it is performed, so that concurrent ones cannot pass together.
    ///
    /// Created accounts and invalid invitations count: one network must neither fill an open node within an hour nor guess
    /// invitations. Other failures do not count; call `refundRegistration` for them.
    ///
    /// - Returns: The rows to write when the registration counts.
    package func takeRegistration(from network: IPNetwork?) throws -> [AbuseRow] {
        let (key, time) = (Key.registrations(network), now())
        let digest = key.digest(keys)
        let written = try written([key], [digest])[0]
        let (wait, rows) = buckets.withLock { buckets -> (Int, [AbuseRow]) in
            let present = buckets[digest] ?? written
            let wait = Self.wait(key, present, at: time)
            if wait > 0 { return (wait, []) }
            Self.evict(from: &buckets, at: time)
            return (0, [Self.charge(key, digest, present, &buckets, at: time)])
        }
        if wait > 0 { throw AuthError.tooManyAttempts(retryAfter: wait) }
        return rows
    }

    package func refundRegistration(from network: IPNetwork?) {
        let digest = Key.registrations(network).digest(keys)
        buckets.withLock { $0[digest]?.level -= 1 }
    }

    // MARK: Buckets

    private func keys(of attempt: Attempt) -> [Key] {
        if let device = attempt.device { return [.device(device)] }
        let pair = Pair(account: attempt.account, network: attempt.network)
        let isTrusted = trusted.withLock { ($0[pair] ?? 0) > now() }
        return isTrusted ? [.pair(pair)] : [.pair(pair), .account(attempt.account), .network(attempt.network)]
    }

    private func codeKey(of attempt: Attempt) -> Key {
        guard attempt.hasPassedCode, let device = attempt.device else { return .code(attempt.account) }
        return .codeOfDevice(device)
    }

    /// Reads the stored buckets, also of keys in memory: those may be evicted at any moment.
    private func written(_ keys: [Key], _ digests: [[UInt8]]) throws -> [Bucket?] {
        try zip(keys, digests).map { key, digest in
            guard let row = try stored(digest) else { return nil }
            // A level above the burst was not written by this program.
            let level = min(Double(max(0, row.level)) / 1_000, key.allowance.burst)
            return Bucket(level: level, at: max(0, row.at), allowance: key.allowance)
        }
    }

    private func admit(_ keys: [Key]) throws {
        let time = now()
        let digests = keys.map { $0.digest(self.keys) }
        let written = try written(keys, digests)
        let wait = buckets.withLock { buckets in
            keys.indices.map { Self.wait(keys[$0], buckets[digests[$0]] ?? written[$0], at: time) }.max() ?? 0
        }
        if wait > 0 { throw AuthError.tooManyAttempts(retryAfter: wait) }
    }

    /// Seconds until the next attempt is allowed.
    private static func wait(_ key: Key, _ bucket: Bucket?, at time: Int64) -> Int {
        let (burst, seconds) = key.allowance
        let excess = (bucket?.level(at: time) ?? 0) - (burst - 1)
        return excess > 0 ? Int((excess * seconds).rounded(.up)) : 0
    }

    private func charge(_ keys: [Key]) throws -> [AbuseRow] {
        let time = now()
        let digests = keys.map { $0.digest(self.keys) }
        let written = try written(keys, digests)
        return buckets.withLock { buckets in
            // Read all levels before evicting, which may evict these keys.
            let present = keys.indices.map { buckets[digests[$0]] ?? written[$0] }
            Self.evict(from: &buckets, at: time)
            return keys.indices.map { Self.charge(keys[$0], digests[$0], present[$0], &buckets, at: time) }
        }
    }

    private static func charge(
        _ key: Key, _ digest: [UInt8], _ present: Bucket?, _ buckets: inout [[UInt8]: Bucket], at time: Int64
    ) -> AbuseRow {
        // A refused attempt does not count, so the level stays within the burst.
        let level = (present?.level(at: time) ?? 0) + 1
        buckets[digest] = Bucket(level: level, at: time, allowance: key.allowance)
        return AbuseRow(
            key: digest, level: Int64(level * 1_000), at: time,
            expires: time + Int64((level * key.allowance.seconds).rounded(.up)))
    }

    /// Evicts empty buckets, then the older half. Rows of older buckets are on disk; those of the newest may not be yet.
    private static func evict(from buckets: inout [[UInt8]: Bucket], at time: Int64) {
        guard buckets.count >= mostBuckets else { return }
        buckets = buckets.filter { $0.value.level(at: time) > 0 }
        guard buckets.count >= mostBuckets else { return }
        let newer = buckets.sorted { $0.value.at < $1.value.at }.suffix(mostBuckets / 2)
        buckets = Dictionary(uniqueKeysWithValues: newer.map { ($0.key, $0.value) })
    }
}
