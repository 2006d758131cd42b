import Synchronization

/// The node's operating mode: normal, read-only or closed.
///
/// Faults only make it worse; an operator or free disk space restores it.
package final class NodeHealth: Sendable {
    package enum Mode: Equatable, Sendable {
        case normal
        /// No changes. Reads continue as long as their audit lines can be committed.
        case readOnly(Fault)
        /// Nothing is committed, so secrets are not read either.
        case closed(Fault)
    }

    package enum Fault: String, Sendable {
        /// Corruption or tampering that SQLite or the audit verification found.
        case damaged
        case diskFull = "disk-full"
        /// A write or an fsync failed. Later results of fsync are not reliable until a restart.
        case ioError = "io-error"
        /// Another program modified the schema or the audit log's head.
        case foreignWrite = "foreign-write"
    }

    private let state = Mutex(Mode.normal)
    private let hasDamage = Atomic(false)
    private let exhausted = Atomic(false)
    private let onDamage: @Sendable () -> Void

    /// `onDamage`: Called once, when damage is first noted, to record it beyond this process.
    package init(onDamage: @escaping @Sendable () -> Void = {}) {
        self.onDamage = onDamage
    }

    package var mode: Mode { state.withLock { $0 } }

    /// Notes a fault. A worse mode is kept.
    ///
    /// - Returns: Whether the mode changed.
    @discardableResult
    package func note(_ fault: Fault) -> Bool {
        let (isChanged, isDamage) = state.withLock { mode in
            let next: Mode =
                switch (mode, fault) {
                case (.closed, _): mode
                case (_, .ioError), (_, .foreignWrite): .closed(fault)
                case (.readOnly(.damaged), _): mode
                case (_, .damaged): .readOnly(.damaged)
                case (_, .diskFull): .readOnly(.diskFull)
                }
            defer { mode = next }
            return (mode != next, fault == .damaged && !hasDamage.exchange(true, ordering: .relaxed))
        }
        if isDamage { onDamage() }
        return isChanged
    }

    /// Whether the disk refused even a revocation. Reads are refused then, metadata included.
    package var isExhausted: Bool { exhausted.load(ordering: .relaxed) }

    package func noteExhaustion() { exhausted.store(true, ordering: .relaxed) }

    package func endExhaustion() { exhausted.store(false, ordering: .relaxed) }

    /// Returns to normal mode after the disk was full.
    package func diskHasRoom() {
        endExhaustion()
        state.withLock { if $0 == .readOnly(.diskFull) { $0 = .normal } }
    }
}
