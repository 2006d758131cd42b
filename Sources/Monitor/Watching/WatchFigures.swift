/// What the watch counts of itself.
package struct WatchFigures: Equatable, Sendable {
    package var beats: Int64 = 0
    package var refused: Int64 = 0
    package var unknownTokens: Int64 = 0
    package var storeErrors: Int64 = 0
    package private(set) var isStoreWell = true

    /// - Returns: Whether this is news.
    @discardableResult
    mutating func noteStore(isWell: Bool) -> Bool {
        defer { isStoreWell = isWell }
        if !isWell { storeErrors += 1 }
        return isWell != isStoreWell
    }
}
