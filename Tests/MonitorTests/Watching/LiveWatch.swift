import Foundation
import Logging
import Monitor
import SQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// A watch with a real database file and a manual clock.
final class LiveWatch: Sendable {
    let folder: Scratch
    let store: MonitorStore
    let watch: Watch
    let clock: ManualClock
    let notified: Notified
    let tokens: [String: PushToken]

    /// The changes passed to the notifier.
    final class Notified: Sendable {
        private let state = Mutex<(lines: [String], fails: Bool)>(([], false))

        var lines: [String] { state.withLock { $0.lines } }
        var fails: Bool {
            get { state.withLock { $0.fails } }
            set { state.withLock { $0.fails = newValue } }
        }

        struct NotifyFailed: Error {}

        func take(_ changes: [IncidentChange]) throws {
            try state.withLock { state in
                if state.fails { throw NotifyFailed() }
                state.lines += changes.map { "\($0.kind.rawValue) \($0.incident.key) \($0.incident.severity.rawValue)" }
            }
        }
    }

    final class ManualClock: Sendable {
        private let state = Mutex(ClockReading(monotonic: 5_000_000, wall: 1_800_000_000_000))

        var now: ClockReading { state.withLock { $0 } }

        /// Sets the wall clock back; the monotonic clock is unchanged.
        func set(back seconds: Int64) { state.withLock { $0.wall -= seconds * 1_000 } }

        func advance(_ seconds: Double) {
            state.withLock {
                $0 = ClockReading(
                    monotonic: $0.monotonic + Int64(seconds * 1_000), wall: $0.wall + Int64(seconds * 1_000))
            }
        }
    }

    convenience init(_ names: [String] = ["tokyo"]) async throws {
        let folder = try Scratch()
        let tokens = Dictionary(uniqueKeysWithValues: names.map { ($0, PushToken()) })
        let store = try MonitorStore(path: folder.file("monitor.db"))
        for (name, token) in tokens { try await store.addNode(MonitoredNode(name), tokenHash: token.hash, now: 0) }
        try await self.init(folder, store, ManualClock(), Notified(), tokens)
    }

    private init(
        _ folder: Scratch, _ store: MonitorStore, _ clock: ManualClock, _ notified: Notified,
        _ tokens: [String: PushToken],
        zones: TimeZoneDatabase = TimeZoneDatabase(), notify: Watch.NotifyHandler? = nil
    ) async throws {
        self.folder = folder
        self.store = store
        self.clock = clock
        self.notified = notified
        self.tokens = tokens
        watch = try await Watch(
            store: store, dependencies: .init(now: { clock.now }, zones: zones),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            notify: notify ?? { changes, record in
                try await store.database.write { db in
                    try record(db)
                    try notified.take(changes)
                }
            })
    }

    /// Another run on the same file, as after a kill: nothing was written at shutdown.
    func again(zones: TimeZoneDatabase = TimeZoneDatabase(), notify: Watch.NotifyHandler? = nil) async throws
        -> LiveWatch
    {
        try await LiveWatch(
            folder, try MonitorStore(path: folder.file("monitor.db")), clock, notified, tokens,
            zones: zones, notify: notify)
    }

    func remove() { folder.remove() }

    func push(
        _ name: String = "tokyo", seq: Int64? = nil, _ change: (inout Heartbeat) -> Void = { _ in }
    ) async throws {
        var body = Heartbeat.healthy(name, at: clock.now.wall / 1_000)
        if let seq { (body.bootID, body.seq) = ("boot", seq) }
        change(&body)
        _ = try await watch.receive(
            token: tokens[name]?.text ?? "", status: "up", msg: "OK", ping: "4",
            body: Array(try JSONEncoder().encode(body)))
    }

    /// Advances time with a tick each second.
    func wait(_ seconds: Int) async {
        for _ in 0..<seconds {
            clock.advance(1)
            await watch.tick()
        }
    }
}
