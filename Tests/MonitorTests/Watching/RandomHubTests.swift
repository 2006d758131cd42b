import Foundation
import Logging
import Monitor
import SQLite
import TestSupport
import Testing
import Wire

/// Random histories of a hub: losses, rejected pushes, restarts, clock changes, a full disk, and maintenance that is
/// started, planned and ended. Checks invariants.
@Suite(.timeLimit(.minutes(10))) struct RandomHubTests {
    /// The monitor from store to outbox, without sending.
    private final class Hub {
        static let names = ["calm1", "calm2", "calm3", "dying", "flaky1", "flaky2"]
        let folder: Scratch
        let clock = LiveWatch.ManualClock()
        let tokens = Dictionary(uniqueKeysWithValues: names.map { ($0, PushToken()) })
        private(set) var store: MonitorStore
        private(set) var watch: Watch
        private var outbox: Outbox
        private let settings: NotificationSettings
        var isFull = false

        init() async throws {
            folder = try Scratch()
            settings = try NotificationSettings(
                channels: [
                    ChannelSettings(
                        name: "hook", kind: .webhook(.init(urlFile: "/hook", keyFile: "/key")),
                        grouping: Grouping(wait: 0, interval: 0))
                ],
                routes: [Route(channel: "hook", severities: [.sev2, .sev1])])
            let store = try MonitorStore(path: folder.file("monitor.db"))
            for (name, token) in tokens {
                try await store.addNode(MonitoredNode(name), tokenHash: token.hash, now: clock.now.wall)
            }
            (self.store, outbox, watch) = try await Self.started(folder, settings, clock)
        }

        private static func started(
            _ folder: Scratch, _ settings: NotificationSettings, _ clock: LiveWatch.ManualClock
        ) async throws -> (MonitorStore, Outbox, Watch) {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let store = try MonitorStore(path: folder.file("monitor.db"))
            let outbox = Outbox(alerts: store.alerts, recipients: settings.recipients)
            let notifier = Notifier(
                outbox: outbox, settings: settings, clock: TestClock(), now: { clock.now.wall }, logger: logger)
            let watch = try await Watch(store: store, dependencies: .init(now: { clock.now }), logger: logger) {
                try await notifier.notify($0, record: $1)
            }
            return (store, outbox, watch)
        }

        func restart(after seconds: Double) async throws {
            await watch.saveMinute(minute: clock.now.wall / 60_000)
            clock.advance(seconds)
            (store, outbox, watch) = try await Self.started(folder, settings, clock)
        }

        /// `claims`: The node named in the heartbeat.
        func push(_ name: String, claims: String? = nil) async {
            let body = Heartbeat.healthy(claims ?? name, at: clock.now.wall / 1_000)
            // On a full disk the heartbeat still counts.
            _ = try? await watch.receive(
                token: tokens[name]?.text ?? "", status: "up", msg: "OK", ping: "4",
                body: Array((try? JSONEncoder().encode(body)) ?? Data()))
        }

        /// Maintenance of ten minutes.
        func plan(in minutes: Int64, isWeekly: Bool) -> MaintenancePlan {
            let start = Date(timeIntervalSince1970: Double(clock.now.wall / 1_000 + minutes * 60))
            return MaintenancePlan(
                id: 0, nodes: [], by: "soc", reason: "r", start: String(start.ISO8601Format().prefix(16)), zone: "UTC",
                isWeekly: isWeekly, duration: 600_000)
        }

        func notified() async throws -> [IncidentChange] { try await outbox.queue(of: "hook").waiting.map(\.change) }

        func setFull(_ full: Bool) async throws {
            guard full != isFull else { return }
            isFull = full
            try await full ? store.fill() : store.makeRoom()
            if !full { await store.alerts.returnToFile() }
        }
    }

    private static let length = 3_600
    /// A quiet period at the end, so that everything due has happened.
    private static let calm = 600

    @Test(arguments: 0..<24) func whatIsDueIsNotifiedExactlyOnce(_ seed: UInt64) async throws {
        var random = RandomScheduleTests.Seeded(state: seed &* 77 &+ 5)
        let hub = try await Hub()
        let death = Int.random(in: 100..<Self.length - Self.calm, using: &random)
        let loss = Double.random(in: 0.1...0.9, using: &random)
        var maintenanceWindows: [Int64] = []
        var next = Dictionary(uniqueKeysWithValues: Hub.names.map { ($0, Int.random(in: 0..<30, using: &random)) })
        var second = 0
        while second < Self.length {
            second += 5
            hub.clock.advance(5)
            for name in Hub.names where second >= next[name, default: 0] {
                next[name] = second + 30 + Int.random(in: -4...4, using: &random)
                if name == "dying", second >= death {
                    // A renamed node or a copied disk: its pushes are rejected, and no sign of life.
                    if Bool.random(using: &random) { await hub.push(name, claims: "somebody") }
                } else if !name.hasPrefix("flaky") || Double.random(in: 0..<1, using: &random) > loss {
                    await hub.push(name)
                }
            }
            await hub.watch.tick()
            if second % 60 == 0, !hub.isFull { await hub.watch.saveMinute(minute: hub.clock.now.wall / 60_000) }
            guard second < Self.length - Self.calm else {
                try await hub.setFull(false)
                for view in hub.watch.fleet().plans { try await hub.watch.removePlan(view.plan.id) }
                for window in hub.watch.fleet().maintenanceWindows { try await hub.watch.endMaintenance(window.id) }
                continue
            }
            switch Int.random(in: 0..<220, using: &random) {
            case 0 where !hub.isFull:
                // Down for up to 15 minutes.
                let away = Int.random(in: 1...900, using: &random)
                try await hub.restart(after: Double(away))
                await hub.watch.tick()
                for name in Hub.names { next[name] = second + Int.random(in: 5..<35, using: &random) }
            case 1: hub.clock.set(back: Int64.random(in: -400 * 86_400...400 * 86_400, using: &random))
            case 2: hub.clock.set(back: Int64.random(in: -30...30, using: &random))
            case 3, 4: try await hub.setFull(true)
            case 5, 6: try await hub.setFull(false)
            case 7:
                let nodes = Bool.random(using: &random) ? [] : ["dying"]
                maintenanceWindows.append(
                    try await hub.watch.beginMaintenance(nodes: nodes, by: "soc", reason: "r", for: 86_400_000).id)
            case 8 where !maintenanceWindows.isEmpty:
                try await hub.watch.endMaintenance(maintenanceWindows.removeFirst())
            case 9, 10:
                let minutes = Int64.random(in: 1...10, using: &random)
                _ = try await hub.watch.add(hub.plan(in: minutes, isWeekly: Bool.random(using: &random)))
            default: break
            }
        }
        try await Self.expect(of: hub, "seed \(seed)")
    }

    private static func expect(of hub: Hub, _ seed: Comment) async throws {
        let notified = try await hub.notified()
        let open = hub.watch.fleet().incidents
        #expect(open.filter { $0.node == "dying" && $0.rule == "silent" }.map(\.severity) == [.sev1], seed)
        #expect(!open.contains { $0.node?.hasPrefix("calm") == true && $0.rule == "silent" }, seed)
        let dying = notified.filter { $0.incident.node == "dying" && $0.incident.rule == "silent" }
        #expect(dying.last?.incident.severity == .sev1 && dying.last?.kind != .resolved, seed)
        #expect(
            !notified.contains { $0.incident.node?.hasPrefix("calm") == true && $0.incident.rule == "silent" }, seed)
        var states: Set<String> = []
        var opened: Set<Int64> = []
        for change in notified where change.kind != .acknowledged {
            let id = change.incident.id
            if change.kind == .resolved { #expect(opened.contains(id), "\(seed): resolved and never opened") }
            opened.insert(id)
            let state = "\(id) \(change.kind.rawValue) \(change.incident.severity.rawValue)"
            #expect(states.insert(state).inserted, "\(seed): \(state) twice")
        }
    }
}
