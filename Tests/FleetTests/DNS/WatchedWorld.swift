import Fleet
import Synchronization

/// What the monitor says, as the test has it say.
final class ScriptedHealth: FleetHealth {
    struct Deaf: Error, CustomStringConvertible { let description = "connection refused" }

    private let said = Mutex<[String: MonitorStatus]?>([:])

    /// Nil: the monitor does not answer.
    func say(_ statuses: [String: MonitorStatus]?) { said.withLock { $0 = statuses } }

    func statuses() async throws -> [String: MonitorStatus] {
        guard let statuses = said.withLock({ $0 }) else { throw Deaf() }
        return statuses
    }
}

/// Keeps names in memory, and can be out of order.
final class MemoryZone: NameProvider {
    struct OutOfOrder: Error, CustomStringConvertible { let description = "out of order" }
    struct State {
        var sets: [String: RecordSet] = [:]
        var isBroken = false
        var applied: [[String]] = []
    }

    let state = Mutex(State())

    func present(_ names: [String]) async throws -> [String: RecordSet] {
        try state.withLock { state in
            if state.isBroken { throw OutOfOrder() }
            return state.sets.filter { names.contains($0.key) }
        }
    }

    func apply(_ changes: [NameChange]) async throws {
        try state.withLock { state in
            if state.isBroken { throw OutOfOrder() }
            state.applied.append(changes.map(\.name))
            for change in changes { state.sets[change.name] = change.after }
        }
    }

    var nearest: Set<HostAddress>? { state.withLock { $0.sets["api.example.org"]?.addresses } }
}
