import Fleet
import Synchronization

/// A monitor with scripted statuses.
final class ScriptedHealth: FleetHealth {
    struct Unreachable: Error, CustomStringConvertible { let description = "connection refused" }

    private let said = Mutex<[String: MonitorStatus]?>([:])

    /// Nil: the monitor is unreachable.
    func say(_ statuses: [String: MonitorStatus]?) { said.withLock { $0 = statuses } }

    func statuses() async throws -> [String: MonitorStatus] {
        guard let statuses = said.withLock({ $0 }) else { throw Unreachable() }
        return statuses
    }
}

/// A zone in memory that can fail.
final class MemoryZone: NameProvider {
    struct Failed: Error, CustomStringConvertible { let description = "write failed" }
    struct State {
        var sets: [String: RecordSet] = [:]
        var isBroken = false
        var applied: [[String]] = []
    }

    let state = Mutex(State())

    func present(_ names: [String]) async throws -> [String: RecordSet] {
        try state.withLock { state in
            if state.isBroken { throw Failed() }
            return state.sets.filter { names.contains($0.key) }
        }
    }

    func apply(_ changes: [NameChange]) async throws {
        try state.withLock { state in
            if state.isBroken { throw Failed() }
            state.applied.append(changes.map(\.name))
            for change in changes { state.sets[change.name] = change.after }
        }
    }

    var nearest: Set<HostAddress>? { state.withLock { $0.sets["api.example.org"]?.addresses } }
}
