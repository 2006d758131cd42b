/// Counters of the watch service.
package struct WatchStatistics: Equatable, Sendable {
    package var beats: Int64 = 0
    package var rejected: Int64 = 0
    package var unknownTokens: Int64 = 0
    package var storeErrors: Int64 = 0
    package private(set) var isStoreHealthy = true

    /// Records the result of a store write.
    ///
    /// - Returns: Whether the health has changed.
    @discardableResult
    mutating func recordStoreResult(isHealthy: Bool) -> Bool {
        defer { isStoreHealthy = isHealthy }
        if !isHealthy { storeErrors += 1 }
        return isHealthy != isStoreHealthy
    }
}
