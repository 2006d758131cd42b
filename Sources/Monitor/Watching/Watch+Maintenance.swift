import Logging
import Synchronization

/// Periodic maintenance of the database: minutes, hours and expired rows.
extension Watch {
    func saveMinutes() async {
        var minute = dependencies.now().wall / 60_000
        while !Task.isCancelled {
            try? await dependencies.sleep(.seconds(1))
            let present = dependencies.now().wall / 60_000
            guard present != minute else { continue }
            await saveMinute(minute: minute)
            await maintain(hasNewHour: present / 60 != minute / 60, deletesExpired: present % 10 == 0)
            minute = present
        }
    }

    package func saveMinute(minute: Int64) async {
        let rows = state.withLock { state in
            let rows = state.means.compactMap { name, mean -> MonitorStore.MinuteRow? in
                guard let id = state.ids[name], let record = state.evaluator.nodes[name] else { return nil }
                return .init(node: id, beats: mean.beats, metrics: mean.mean, persisted: record.persisted)
            }
            state.means = [:]
            return rows
        }
        if diskSpace?.isLow == true { return }
        do {
            try await store.save(rows, minute: minute, now: dependencies.now().wall)
        } catch {
            logger.error("minute cannot be stored", metadata: ["error": "\(error)"])
        }
    }

    /// Aggregates and deletes old rows, unless the clock that determines their age has just jumped.
    package func maintain(hasNewHour: Bool, deletesExpired: Bool) async {
        let reading = dependencies.now()
        guard state.withLock({ $0.evaluator.isClockTrusted(at: reading) }) else { return }
        let now = reading.wall
        do {
            if hasNewHour, diskSpace?.isLow != true { try await store.rollUpHours(now: now) }
            if deletesExpired { try await store.deleteExpired(now: now) }
        } catch {
            logger.error("old heartbeats cannot be aggregated", metadata: ["error": "\(error)"])
        }
    }
}
