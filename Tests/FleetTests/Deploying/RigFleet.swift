import Fleet
import Foundation
import Synchronization
import TestSupport
import Wire

/// A fleet of rigs with a monitor, a probe and a journal.
final class RigFleet: Sendable {
    let scratch: Scratch
    let inventory: Inventory
    let rigs: [String: NodeRig]
    let passed = RigClock.Passed()
    let monitor = RigMonitor()
    let journal = RigJournal()

    init(_ text: String) throws {
        scratch = try Scratch()
        inventory = try Inventory(toml: text)
        var rigs: [String: NodeRig] = [:]
        for node in inventory.nodes { rigs[node.name] = try NodeRig(scratch.file(node.name)) }
        self.rigs = rigs
    }

    func rig(_ name: String) throws -> NodeRig {
        guard let rig = rigs[name] else { throw InventoryError.noSuchNode(name, []) }
        return rig
    }

    /// Installs a system of this name on every node.
    func release(_ name: String, health: String = "ready 2.0", version: String? = "2.0") throws -> Release {
        Release(systems: try rigs.mapValues { try $0.install(name, health: health) }, version: version)
    }

    /// Starts the deploy program. A second call is a restart.
    func program(_ life: Life = Life()) -> RigProgram {
        let clock = RigClock(life, passed: passed)
        let processes = RigProcesses(rigs, clock)
        let ssh = SSH(inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), processes)
        monitor.attach(clock, rigs)
        let rigs = rigs
        let deployer = Deployer(
            inventory, DeployCommands(ssh, NodeRig.paths), processes, monitor: monitor.client(life),
            probe: RigProbe(rigs: rigs), author: DeployAuthor(name: "ana", host: "desk"), clock: clock,
            now: { clock.seconds })
        return RigProgram(deployer: deployer, processes: processes, clock: clock, life: life)
    }

    /// The state that must be the same after every crash.
    func endState() throws -> [String] {
        var lines: [String] = []
        for (name, rig) in rigs.sorted(by: { $0.key < $1.key }) {
            let system = { (path: String) in path.split(separator: "/").last.map(String.init) ?? "" }
            lines.append("\(name) runs \(system(try rig.current)), boots \(system(try rig.profile))")
            let units = try FileManager.default.contentsOfDirectory(atPath: "\(rig.root)/units")
            if !units.isEmpty { lines.append("\(name) has units \(units)") }
            if rig.exists("state/lock") { lines.append("\(name) is locked") }
            for line in DeployRecord.read(rig.text("state/history.jsonl") ?? "") {
                lines.append("\(line.result) by \(line.who): \(line.nodes.sorted { $0.key < $1.key })")
            }
        }
        return lines + monitor.maintenanceWindows.map { "lease of \($0.nodes)" }
    }
}

struct RigProgram: Sendable {
    let deployer: Deployer<RigClock>
    let processes: RigProcesses
    let clock: RigClock
    let life: Life

    func log(_ journal: any DeployJournal, after progress: DeployProgress = .init()) -> DeployLog {
        DeployLog(journal, after: progress, now: { clock.seconds })
    }
}

struct RigProbe: NodeProbe {
    let rigs: [String: NodeRig]

    func health(of node: Node) async -> NodeHealth { rigs[node.name]?.health ?? .notReady("no such rig") }
}

/// A journal in memory that crashes the program at one event.
final class RigJournal: DeployJournal {
    private let state = Mutex<(events: [DeployEvent], crash: (at: Int, written: Bool, life: Life)?)>(([], nil))

    var events: [DeployEvent] { state.withLock { $0.events } }

    /// Crashes the program at this event, before or after it is written.
    func kill(_ life: Life, at index: Int, written: Bool) { state.withLock { $0.crash = (index, written, life) } }

    func append(_ event: DeployEvent) throws {
        try state.withLock { state in
            if let crash = state.crash {
                try crash.life.check()
                if state.events.count == crash.at {
                    if crash.written { state.events.append(event) }
                    crash.life.end()
                    state.crash = nil
                    throw Life.Killed()
                }
            }
            state.events.append(event)
        }
    }
}

/// A monitor that receives heartbeats of all nodes, except those that the test silences.
final class RigMonitor: Sendable {
    private struct State {
        var clock: RigClock?
        var rigs: [String: NodeRig] = [:]
        var maintenanceWindows: [FleetReport.MaintenanceWindow] = []
        var nextLease: Int64 = 1
        var incidents: [FleetReport.Incident] = []
        var silent: Set<String> = []
        var requests: [String: Int] = [:]
        var errors: [String: Int] = [:]
    }

    private let state = Mutex(State())

    func attach(_ clock: RigClock, _ rigs: [String: NodeRig]) {
        state.withLock { ($0.clock, $0.rigs) = (clock, rigs) }
    }

    var maintenanceWindows: [FleetReport.MaintenanceWindow] { state.withLock { $0.maintenanceWindows } }

    func raise(_ incident: FleetReport.Incident) { state.withLock { $0.incidents.append(incident) } }

    /// Ends the heartbeats of these nodes.
    func silence(_ nodes: Set<String>) { state.withLock { $0.silent = nodes } }

    func load(_ node: String, requests: Int, errors: Int = 0) {
        state.withLock { ($0.requests[node], $0.errors[node]) = (requests, errors) }
    }

    func client(_ life: Life) -> any FleetMonitor { Client(monitor: self, life: life) }

    private struct Client: FleetMonitor {
        let monitor: RigMonitor
        let life: Life

        func fleet() async throws -> FleetReport {
            try life.check()
            return monitor.report()
        }

        func openMaintenanceWindow(nodes: [String], reason: String, minutes: Int) async throws
            -> FleetReport.MaintenanceWindow
        {
            try life.check()
            return monitor.state.withLock { state in
                let until = ((state.clock?.seconds ?? 0) + Int64(minutes) * 60) * 1_000
                let lease = FleetReport.MaintenanceWindow(
                    id: state.nextLease, nodes: nodes, reason: reason, until: until)
                state.nextLease += 1
                state.maintenanceWindows.append(lease)
                return lease
            }
        }

        func closeMaintenanceWindow(_ id: Int64) async throws {
            try life.check()
            monitor.state.withLock { state in state.maintenanceWindows.removeAll { $0.id == id } }
        }
    }

    private func report() -> FleetReport {
        state.withLock { state in
            let now = (state.clock?.seconds ?? 0) * 1_000
            let nodes = state.rigs.keys.sorted().map { name in
                var body = Heartbeat(
                    node: name, ts: now / 1_000, ramMB: 1, ramPct: 1, diskMB: 1, diskPct: 1, cpuPct: 1, dbSizeMB: 1,
                    dbIntegrity: "ok", activeSessions: 0, req1h: state.requests[name] ?? 100,
                    err1h: state.errors[name] ?? 0, certDaysRemaining: 60, nixGen: 1, uptimeS: 1)
                if case .ready(let version)? = state.rigs[name]?.health { body.version = version }
                let lastBeat = state.silent.contains(name) ? 0 : now
                return FleetReport.Node(name: name, state: "up", lastBeat: lastBeat, body: body)
            }
            return FleetReport(
                now: now, isEvaluationPaused: false, timing: .init(sev2: 65_000), nodes: nodes,
                incidents: state.incidents,
                maintenanceWindows: state.maintenanceWindows)
        }
    }
}
