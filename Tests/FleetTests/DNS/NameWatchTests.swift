import Fleet
import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct NameWatchTests {
    let scratch: Scratch
    let health = ScriptedHealth()
    let zone = MemoryZone()
    let moments = Moments()
    let probes = Probes()

    final class Probes: Sendable {
        private let answers = Mutex<[String: ProbeResult]>([:])
        func set(_ name: String, _ answer: ProbeResult?) { answers.withLock { $0[name] = answer } }
        func all(_ nodes: [Node]) -> [String: ProbeResult] {
            let answers = answers.withLock { $0 }
            return Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, answers[$0.name] ?? .ready) })
        }
    }

    init() throws {
        scratch = try Scratch()
        reportHealthy()
    }

    private func reportHealthy(except others: [String: MonitorStatus] = [:]) {
        health.say(
            ["n1": .healthy, "n2": .healthy, "n3": .healthy, "n4": .healthy].merging(others) { $1 })
    }

    private func fail(_ name: String) {
        reportHealthy(except: [name: .silent(66)])
        probes.set(name, .unreachable("refused"))
    }

    private func makeWatch(
        isOutdated: @escaping @Sendable () async throws -> Bool = { false }
    ) throws -> NameWatch {
        let (probes, moments) = (probes, moments)
        return try NameWatch(
            try sampleFleet(4), health: health, probe: { probes.all($0) }, provider: zone,
            state: WatchState(folder: scratch.path), isOutdated: isOutdated, now: { moments.now * 1_000 })
    }

    private func evaluate(_ watch: inout NameWatch) async -> [NameWatch.Event] {
        moments.advance(by: 5)
        return await watch.tick() ?? []
    }

    @Test func theNameIsWrittenOnce() async throws {
        var watch = try makeWatch()
        let first = await evaluate(&watch)
        let second = await evaluate(&watch)
        #expect(first.count == 1)
        #expect(second.isEmpty)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
        #expect(zone.state.withLock { $0.applied } == [["api.example.org"]])
    }

    @Test func anUnhealthyNodeIsWithdrawnAndRestored() async throws {
        var watch = try makeWatch()
        _ = await evaluate(&watch)
        fail("n2")
        let events = await evaluate(&watch)
        #expect(zone.nearest == addresses(1, 3, 4))
        #expect(events.first?.description.hasPrefix("n2 leaves the nearest name") == true)
        #expect(events.last == .changed(["- api.example.org 30 A 192.0.2.2  (n2)"]))
        reportHealthy()
        probes.set("n2", nil)
        for _ in 0..<24 { _ = await evaluate(&watch) }
        #expect(zone.nearest == addresses(1, 3, 4))
        _ = await evaluate(&watch)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
    }

    @Test func aRestartedWatchLoadsItsState() async throws {
        var watch = try makeWatch()
        fail("n2")
        _ = await evaluate(&watch)
        var other = try makeWatch()
        health.say(nil)
        let events = await evaluate(&other)
        #expect(zone.nearest == addresses(1, 3, 4))
        #expect(events == [.problem("The monitor cannot be queried: nothing is withdrawn. connection refused")])
    }

    @Test func anUnreachableOrPausedMonitorChangesNothing() async throws {
        var watch = try makeWatch()
        fail("n2")
        _ = await evaluate(&watch)
        for statuses in [nil, [:]] as [[String: MonitorStatus]?] {
            health.say(statuses)
            probes.set("n2", nil)
            probes.set("n3", .unreachable("refused"))
            for _ in 0..<100 { _ = await evaluate(&watch) }
            #expect(zone.nearest == addresses(1, 3, 4))
        }
    }

    @Test func aMonitorThatHasJustStartedIsNotAFailure() async throws {
        var watch = try makeWatch()
        var outcome = WatchOutcome()
        health.say([:])
        let events = await evaluate(&watch)
        outcome.update(with: events)
        #expect(events.contains(.paused))
        #expect(outcome.failure == nil)
        health.say(nil)
        outcome.update(with: await evaluate(&watch))
        #expect(outcome.failure?.contains("connection refused") == true)
        fail("n2")
        outcome.update(with: await evaluate(&watch))
        #expect(outcome.failure == nil)
    }

    @Test func aFailedUpdateIsRetriedAndReportedOnce() async throws {
        var watch = try makeWatch()
        _ = await evaluate(&watch)
        zone.state.withLock { $0.isBroken = true }
        fail("n2")
        let events = await evaluate(&watch)
        let again = await evaluate(&watch)
        zone.state.withLock { $0.isBroken = false }
        let repaired = await evaluate(&watch)
        #expect(events.last == .problem("The zone could not be updated: write failed"))
        #expect(again.isEmpty)
        #expect(repaired == [.changed(["- api.example.org 30 A 192.0.2.2  (n2)"]), .recovered])
    }

    @Test func anOverrideAppliesWhileTheMonitorIsUnreachable() async throws {
        var watch = try makeWatch()
        _ = await evaluate(&watch)
        health.say(nil)
        let state = WatchState(folder: scratch.path)
        let overrides = Dictionary(
            uniqueKeysWithValues: (1...3).map {
                ("n\($0)", ManualOverride(by: "ana@soc", at: Int64($0), isBelowFloor: true))
            })
        try state.editOverrides { $0 = overrides }
        _ = await evaluate(&watch)
        #expect(zone.nearest == addresses(4))
        // An unreadable file changes nothing.
        try scratch.write(Array("{".utf8), to: "dns-by-hand.json")
        let events = await evaluate(&watch)
        #expect(zone.nearest == addresses(4))
        #expect(events.contains { $0.description.hasPrefix("The manual overrides cannot be read") })
        try scratch.write(Array("{}".utf8), to: "dns-by-hand.json")
        _ = await evaluate(&watch)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
    }

    @Test func externalChangesAreReverted() async throws {
        var watch = try makeWatch()
        _ = await evaluate(&watch)
        zone.state.withLock { $0.sets["api.example.org"]?.addresses = addresses(77) }
        for _ in 0..<13 { _ = await evaluate(&watch) }
        #expect(zone.nearest == addresses(1, 2, 3, 4))
    }

    @Test func withoutAStateFileNothingIsDecided() async throws {
        var watch = try makeWatch()
        _ = await evaluate(&watch)
        // A directory has the file's name.
        try? FileManager.default.removeItem(atPath: scratch.file("dns-watch.json"))
        try FileManager.default.createDirectory(
            atPath: scratch.file("dns-watch.json/x"), withIntermediateDirectories: true)
        fail("n2")
        let events = await evaluate(&watch)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
        #expect(events.contains { $0.description.hasPrefix("The zone could not be updated") })
        // No new decision is made, and the zone is not written.
        let again = await evaluate(&watch)
        #expect(again.isEmpty)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
        try FileManager.default.removeItem(atPath: scratch.file("dns-watch.json"))
        let written = await evaluate(&watch)
        #expect(written == [.changed(["- api.example.org 30 A 192.0.2.2  (n2)"]), .recovered])
        #expect(try WatchState(folder: scratch.path).read().withdrawn.keys.sorted() == ["n2"])
    }

    @Test func rareSingleEvaluationsRestoreANode() async throws {
        fail("n2")
        var first = try makeWatch()
        _ = await evaluate(&first)
        reportHealthy()
        probes.set("n2", nil)
        for _ in 0..<6 {
            moments.advance(by: 45)
            var watch = try makeWatch()
            _ = await evaluate(&watch)
        }
        #expect(zone.nearest == addresses(1, 2, 3, 4))
    }

    @Test func aNewerInventoryEndsTheWatch() async throws {
        let isOutdated = Mutex(false)
        var watch = try makeWatch { isOutdated.withLock { $0 } }
        _ = await evaluate(&watch)
        isOutdated.withLock { $0 = true }
        zone.state.withLock { $0.sets["api.example.org"]?.addresses = addresses(77) }
        for _ in 0..<20 { #expect(await watch.tick() == nil) }
        #expect(zone.nearest == addresses(77))
        var reported = 0
        try await watch.run(every: .seconds(5), clock: ContinuousClock()) { _ in reported += 1 }
        #expect(reported == 0)
    }

    @Test func anInvalidInventoryKeepsThePreviousOne() async throws {
        let fault = Mutex<String?>("n9 has no address")
        struct Faulty: Error, CustomStringConvertible { let description: String }
        var watch = try makeWatch {
            if let text = fault.withLock({ $0 }) { throw Faulty(description: text) }
            return false
        }
        let first = await evaluate(&watch)
        let second = await evaluate(&watch)
        #expect(zone.nearest == addresses(1, 2, 3, 4))
        #expect(first.last?.description.hasSuffix("the previous one stays in use: n9 has no address") == true)
        #expect(second.isEmpty)
        fault.withLock { $0 = nil }
        let third = await evaluate(&watch)
        #expect(third == [.recovered])
    }

    @Test func onlyOneWatchRunsAtATime() throws {
        let state = WatchState(folder: scratch.path)
        try state.lock()
        #expect(throws: WatchStateError.self) { try state.lock() }
    }

    @Test func aDamagedStateFileIsNamed() throws {
        try scratch.write(Array("{".utf8), to: "dns-watch.json")
        #expect(throws: WatchStateError.unreadable(scratch.file("dns-watch.json"))) { try makeWatch() }
        let error: (any Error)? = #expect(throws: (any Error).self) { try makeWatch() }
        #expect(error is any PreconditionError)
    }

    /// The watch with real knotd and TLS, and a scripted monitor.
    @Test func aSilentNodeIsRemovedFromARealZone() async throws {
        let knot = try KnotServer()
        let inventory = try sampleFleet(3) { nodes in
            for index in nodes.indices { nodes[index].ipv4 = "127.0.87.\(index + 1)" }
        }
        let unhealthy = Mutex<Set<String>>([])
        let health = health
        try await SecureServer.with(
            names: ["n1.example.org", "n2.example.org", "n3.example.org"], host: "0.0.0.0", in: scratch.path,
            conduct: { request in
                let name = String((request.headers["Host"].first ?? "").prefix { $0 != "." })
                return .init(status: unhealthy.withLock { $0.contains(name) } ? .serviceUnavailable : .ok)
            }
        ) { server in
            let addresses = Dictionary(uniqueKeysWithValues: inventory.nodes.map { ($0.domain, $0.ipv4) })
            try await HTTPSExchange.connected(addresses: addresses, caFile: server.certificate) { exchange in
                let probe = HTTPSProbe(exchange: exchange)
                var watch = try NameWatch(
                    inventory, health: health, probe: { await probe.results(of: $0, port: server.port) },
                    provider: UpdatedZone(try knot.updater()),
                    state: WatchState(folder: self.scratch.path), now: { Int64(Date().timeIntervalSince1970 * 1_000) })
                _ = await watch.tick()
                #expect(try knot.lookUp("api.example.org", "A") == ["127.0.87.1", "127.0.87.2", "127.0.87.3"])
                unhealthy.withLock { $0 = ["n3"] }
                self.reportHealthy(except: ["n3": .silent(66)])
                _ = await watch.tick()
                #expect(try knot.lookUp("api.example.org", "A") == ["127.0.87.1", "127.0.87.2"])
            }
        }
    }
}
