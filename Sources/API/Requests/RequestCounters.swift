import Synchronization

/// Counts requests, errors and latencies of the last hour in sixty one-minute buckets of fixed size.
package final class RequestCounters: Sendable {
    private let buckets = Mutex([Bucket](repeating: Bucket(), count: 60))
    private let now: @Sendable () -> Int64

    private struct Bucket {
        var minute: Int64 = -1
        var requests = 0
        var refused = 0
        var failed = 0
        var times = LatencyHistogram()
    }

    /// Figures of the last hour.
    package struct Figures: Equatable, Sendable {
        package var requests = 0
        /// Responses with status 400 and above, so that guessing shows.
        package var errors = 0
        /// Responses with status 500 and above.
        package var failures = 0
        /// 99th percentile latency in milliseconds; nil without requests.
        package var p99: Double?
    }

    package init(now: @escaping @Sendable () -> Int64) {
        self.now = now
    }

    package func count(status: Int, took time: Duration) {
        let minute = now() / 60
        buckets.withLock { buckets in
            let index = Int(minute % 60)
            if buckets[index].minute != minute { buckets[index] = Bucket(minute: minute) }
            buckets[index].requests += 1
            if status >= 400 { buckets[index].refused += 1 }
            if status >= 500 { buckets[index].failed += 1 }
            buckets[index].times.add(time)
        }
    }

    package var lastHour: Figures {
        let oldest = now() / 60 - 59
        return buckets.withLock { buckets in
            var figures = Figures()
            var times = LatencyHistogram()
            for bucket in buckets where bucket.minute >= oldest {
                figures.requests += bucket.requests
                figures.errors += bucket.refused
                figures.failures += bucket.failed
                times.add(bucket.times)
            }
            figures.p99 = times.quantile(0.99)
            return figures
        }
    }
}

/// A latency histogram of 64 exponential buckets from 16 µs to about a minute, each 20 to 33 % wider than the previous one.
struct LatencyHistogram: Equatable, Sendable {
    private var counts = [UInt32](repeating: 0, count: 64)

    mutating func add(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        let micros = UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000_000)
        counts[Self.bucket(micros)] &+= 1
    }

    mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// The upper bound, in milliseconds, of the bucket that holds the quantile. Nil without samples.
    func quantile(_ fraction: Double) -> Double? {
        let all = counts.reduce(UInt64(0)) { $0 + UInt64($1) }
        guard all > 0 else { return nil }
        var left = UInt64((Double(all) * fraction).rounded(.up))
        for (index, count) in counts.enumerated() {
            if UInt64(count) >= left { return Double(Self.upperBound(index)) / 1_000 }
            left -= UInt64(count)
        }
        return Double(Self.upperBound(63)) / 1_000
    }

    /// Three buckets for each power of two, which begin at 4/4, 5/4 and 6/4 of it.
    private static func bucket(_ micros: UInt64) -> Int {
        guard micros >= 16 else { return 0 }
        let power = 63 - micros.leadingZeroBitCount
        let quarter = Int(micros >> UInt64(power - 2)) & 3
        return min(63, (power - 4) * 3 + min(quarter, 2))
    }

    /// In microseconds.
    private static func upperBound(_ bucket: Int) -> UInt64 {
        let base = UInt64(16) << UInt64(bucket / 3)
        return bucket % 3 == 2 ? base * 2 : base + base / 4 * UInt64(bucket % 3 + 1)
    }
}
