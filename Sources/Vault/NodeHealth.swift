import Synchronization

/// Whether the node may write, as everything that writes must know.
///
/// Goes only downhill by itself; what brings it back is an operator, or room on the disk.
package final class NodeHealth: Sendable {
    package enum Mode: Equatable, Sendable {
        case normal
        /// No changes. Reads go on as long as their audit lines can be committed.
        case readOnly(Fault)
        /// Nothing is committed, so nothing secret is read either.
        case closed(Fault)
    }

    package enum Fault: String, Sendable {
        /// Bytes in the file that SQLite or the audit chain did not write.
        case damaged
        case diskFull = "disk-full"
        /// A write or an fsync failed. What a later fsync says is no longer worth anything, until a restart.
        case ioError = "io-error"
        /// Another program wrote to the file and left a schema or a log that no commit may be made on.
        case foreignWrite = "foreign-write"
    }

    private let state = Mutex(Mode.normal)
    private let hasDamage = Atomic(false)
    private let exhausted = Atomic(false)
    private let onDamage: @Sendable () -> Void

    /// `onDamage`: Called once, when damage is noted for the first time: it must be remembered beyond this process.
    package init(onDamage: @escaping @Sendable () -> Void = {}) {
        self.onDamage = onDamage
    }

    package var mode: Mode { state.withLock { $0 } }

    /// Notes a fault. A worse one stays.
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

    /// Whether the disk refused even what takes access away: then nobody reads either, metadata included.
    package var isExhausted: Bool { exhausted.load(ordering: .relaxed) }

    package func noteExhaustion() { exhausted.store(true, ordering: .relaxed) }

    package func endExhaustion() { exhausted.store(false, ordering: .relaxed) }

    /// There is room again.
    package func diskHasRoom() {
        endExhaustion()
        state.withLock { if $0 == .readOnly(.diskFull) { $0 = .normal } }
    }
}
