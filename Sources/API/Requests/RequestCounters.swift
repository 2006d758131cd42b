import Synchronization

/// Requests and server errors of the last hour, in sixty one-minute buckets.
package final class RequestCounters: Sendable {
    private let buckets = Mutex([Bucket](repeating: Bucket(), count: 60))
    private let now: @Sendable () -> Int64

    private struct Bucket {
        var minute: Int64 = -1
        var requests = 0
        var errors = 0
    }

    package init(now: @escaping @Sendable () -> Int64) {
        self.now = now
    }

    func count(isError: Bool) {
        let minute = now() / 60
        buckets.withLock { buckets in
            let index = Int(minute % 60)
            if buckets[index].minute != minute { buckets[index] = Bucket(minute: minute) }
            buckets[index].requests += 1
            if isError { buckets[index].errors += 1 }
        }
    }

    package var lastHour: (requests: Int, errors: Int) {
        let oldest = now() / 60 - 59
        return buckets.withLock { buckets in
            buckets.filter { $0.minute >= oldest }.reduce((0, 0)) { ($0.0 + $1.requests, $0.1 + $1.errors) }
        }
    }
}
