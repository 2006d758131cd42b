/// Sessions and sign-outs that could not be stored, by the hash of their token.
package struct InMemorySessions: Sendable {
    package struct Pending: Sendable {
        package var session: Operators.SignedIn
        package var salt: [UInt8]

        package init(session: Operators.SignedIn, salt: [UInt8]) {
            self.session = session
            self.salt = salt
        }
    }

    package private(set) var pending: [[UInt8]: Pending] = [:]
    /// Stored sessions that have ended.
    var ended: Set<[UInt8]> = []
    /// Operators are few.
    private static let limit = 200

    package init() {}

    package mutating func begin(_ hash: [UInt8], _ session: Pending) {
        if pending.count >= Self.limit,
            let oldest = pending.min(by: { $0.value.session.expires < $1.value.session.expires })
        {
            pending[oldest.key] = nil
        }
        pending[hash] = session
    }

    /// - Returns: All sessions to delete from the disk.
    mutating func end(_ hash: [UInt8]) -> Set<[UInt8]> {
        if pending.removeValue(forKey: hash) == nil { ended.insert(hash) }
        return ended
    }
}
