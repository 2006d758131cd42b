import Synchronization
package import Vault

/// Who has to wait before trying another password.
///
/// Only failures cost. A guess is counted against account and network together, so a stranger behind the same
/// address cannot lock anybody else out; against the whole account, so that many networks do not multiply the
/// guesses; and against the whole network, so that one guess at each of many accounts is seen. A device that once
/// logged in, and an account that once logged in from this network, are spared the last two; the device has an
/// allowance of its own as well, so a neighbour guessing at the very same account does not stop it.
package final class AbuseLimits: Sendable {
    private let buckets = Mutex<[Key: Bucket]>([:])
    private let trusted = Mutex<[Pair: Int64]>([:])
    private let now: @Sendable () -> Int64
    /// Some 150 bytes each.
    private static let mostBuckets = 50_000

    package struct Attempt: Sendable {
        /// The account's e-mail index; of an address without account too.
        package let account: [UInt8]
        package let network: IPNetwork?
        /// A device that proved it logged in here before.
        package let device: [UInt8]?

        package init(account: [UInt8], network: IPNetwork?, device: [UInt8]?) {
            self.account = account
            self.network = network
            self.device = device
        }
    }

    private struct Pair: Hashable {
        let account: [UInt8]
        let network: IPNetwork?
    }

    private enum Key: Hashable {
        case pair(Pair)
        case device([UInt8])
        case account([UInt8])
        case network(IPNetwork?)
        case registrations(IPNetwork?)

        /// Failures at once, and seconds until one is forgiven.
        var allowance: (burst: Double, seconds: Double) {
            switch self {
            case .pair: (10, 90)
            case .device: (20, 60)
            case .account: (100, 36)
            case .network: (300, 3)
            case .registrations: (30, 120)
            }
        }
    }

    private struct Bucket {
        var level: Double
        var at: Int64
    }

    package init(now: @escaping @Sendable () -> Int64) {
        self.now = now
    }

    /// Throws `tooManyAttempts` when the attempt must wait.
    package func admit(_ attempt: Attempt) throws(AuthError) {
        try admit(keys(of: attempt))
    }

    package func failed(_ attempt: Attempt) {
        charge(keys(of: attempt))
    }

    /// Remembers that this account belongs behind this network, for thirty days or until the node restarts.
    package func succeeded(_ attempt: Attempt) {
        let time = now()
        trusted.withLock { trusted in
            if trusted.count >= Self.mostBuckets { trusted = trusted.filter { $0.value > time } }
            if trusted.count >= Self.mostBuckets { trusted.removeAll() }
            trusted[Pair(account: attempt.account, network: attempt.network)] = time + 30 * 86_400
        }
    }

    /// Registrations cost, successful or not: an open node must not be filled from one place in an hour.
    package func admitRegistration(from network: IPNetwork?) throws(AuthError) {
        try admit([.registrations(network)])
        charge([.registrations(network)])
    }

    private func keys(of attempt: Attempt) -> [Key] {
        if let device = attempt.device { return [.device(device)] }
        let pair = Pair(account: attempt.account, network: attempt.network)
        let isTrusted = trusted.withLock { ($0[pair] ?? 0) > now() }
        return isTrusted ? [.pair(pair)] : [.pair(pair), .account(attempt.account), .network(attempt.network)]
    }

    private func admit(_ keys: [Key]) throws(AuthError) {
        let time = now()
        let wait = buckets.withLock { buckets in
            keys.map { key in
                let (burst, seconds) = key.allowance
                let excess = Self.level(buckets[key], key, at: time) - (burst - 1)
                return excess > 0 ? Int((excess * seconds).rounded(.up)) : 0
            }.max() ?? 0
        }
        if wait > 0 { throw .tooManyAttempts(retryAfter: wait) }
    }

    private func charge(_ keys: [Key]) {
        let time = now()
        buckets.withLock { buckets in
            if buckets.count >= Self.mostBuckets { Self.thin(&buckets, at: time) }
            for key in keys {
                // An attempt that was refused is not charged, so the level stays within the burst.
                buckets[key] = Bucket(level: Self.level(buckets[key], key, at: time) + 1, at: time)
            }
        }
    }

    private static func level(_ bucket: Bucket?, _ key: Key, at time: Int64) -> Double {
        guard let bucket else { return 0 }
        return max(0, bucket.level - Double(max(0, time - bucket.at)) / key.allowance.seconds)
    }

    /// Makes room: first what is forgiven anyway, then the emptier half, so that a flood of new keys does not free an
    /// attacker.
    private static func thin(_ buckets: inout [Key: Bucket], at time: Int64) {
        buckets = buckets.filter { level($0.value, $0.key, at: time) > 0 }
        guard buckets.count >= mostBuckets else { return }
        let fill = { (key: Key, bucket: Bucket) in level(bucket, key, at: time) / key.allowance.burst }
        let fuller = buckets.map { (fill: fill($0.key, $0.value), bucket: $0) }.sorted { $0.fill < $1.fill }
        buckets = Dictionary(
            uniqueKeysWithValues: fuller.suffix(mostBuckets / 2).map { ($0.bucket.key, $0.bucket.value) })
    }
}

/// Requests per minute of each agent, as a token bucket that holds one minute's worth.
final class AgentRates: Sendable {
    private let levels = Mutex<[HolderID: (level: Double, at: Double)]>([:])

    /// Seconds to wait, or nil to go on. `time` in seconds.
    func wait(_ agent: HolderID, perMinute rate: Int, at time: Double) -> Int? {
        let refill = Double(rate) / 60
        return levels.withLock { levels in
            if levels.count > 10_000 { levels.removeAll() }
            let (level, at) = levels[agent] ?? (0, time)
            let now = max(0, level - max(0, time - at) * refill)
            guard now + 1 <= Double(rate) else {
                levels[agent] = (now, time)
                return max(1, Int(((now + 1 - Double(rate)) / refill).rounded(.up)))
            }
            levels[agent] = (now + 1, time)
            return nil
        }
    }
}
