/// Performs a `ProvisionPlan` step by step, and records each completed step.
///
/// The conversion replaces the disk, and the reboot into the node's own system closes the port of this connection: both come
/// after everything that can be checked in advance.
package struct Provisioner<C: Clock>: Sendable where C.Duration == Duration {
    package typealias Report = @Sendable (String) -> Void

    let plan: ProvisionPlan
    let inventory: Inventory
    let journal: ProvisionJournal
    let first: BootstrapShell
    /// Nil if the node is the hub itself.
    let hub: (any RemoteShell)?
    let secrets: SecretStore
    let monitor: (any FleetMonitor)?
    let probe: any NodeProbe
    let processes: any ChildProcesses
    /// A temporary directory for the restored database.
    let folder: String
    let clock: C
    /// Unix seconds.
    let now: @Sendable () -> Int64

    /// Makes a provisioner.
    ///
    /// - Parameters:
    ///   - plan: The steps.
    ///   - inventory: Must have the node.
    ///   - journal: The node's journal.
    ///   - first: A root shell on the new machine.
    ///   - hub: Nil if the node is the hub itself.
    ///   - secrets: The fleet's secrets.
    ///   - monitor: Nil to skip waiting for a heartbeat.
    ///   - probe: Probes the node.
    ///   - processes: Runs ssh and nix.
    ///   - folder: A private directory for the restored database, removed afterwards.
    ///   - clock: For waiting.
    ///   - now: Unix seconds.
    package init(
        _ plan: ProvisionPlan, inventory: Inventory, journal: ProvisionJournal, first: BootstrapShell,
        hub: (any RemoteShell)?, secrets: SecretStore, monitor: (any FleetMonitor)?, probe: any NodeProbe,
        processes: any ChildProcesses, folder: String, clock: C, now: @escaping @Sendable () -> Int64
    ) {
        (self.plan, self.inventory, self.journal, self.first, self.hub) = (plan, inventory, journal, first, hub)
        (self.secrets, self.monitor, self.probe) = (secrets, monitor, probe)
        (self.processes, self.folder) = (processes, folder)
        (self.clock, self.now) = (clock, now)
    }

    /// - Throws: The error of the failed step. A later run continues with that step.
    package func run(_ report: Report) async throws {
        guard let hostKey = plan.hostKey else { throw HostKeyError.noAnswer }
        for step in plan.steps {
            report(plan.sentence(step))
            try await perform(step)
            try journal.add(step, on: hostKey, at: now())
        }
    }

    private var node: Node { plan.node }

    private func perform(_ step: ProvisionPlan.Step) async throws {
        switch step {
        case .readiness: try await readiness()
        case .check: try await check()
        case .build: _ = try await build()
        case .convert: try await convert()
        case .system: try await system()
        case .restore: try await restore()
        case .secrets: _ = try await secrets.push(nil, to: node, first)
        case .tunnel: try await tunnel()
        case .serving: try await serving()
        case .heartbeat: try await heartbeat()
        }
    }

    private func readiness() async throws {
        var missing: [String] = []
        if node.ipv4.isEmpty { missing.append("it has no ipv4 in the inventory") }
        if node.publicKey.isEmpty { missing.append("it has no public-key: clavitor-soc keys generate \(node.name)") }
        missing += try await secrets.missing(node, in: inventory).map { "\($0.name) is not set" }
        if let hub, !node.publicKey.isEmpty {
            let peers = try await hub.run(.script("wg show wg0 peers"), input: nil, deadline: .seconds(60))
            if !peers.split(separator: "\n").contains(Substring(node.publicKey)) {
                missing.append("the hub does not know its key: deploy the hub first")
            }
        }
        guard missing.isEmpty else { throw ProvisionPreconditionError.notReady(node.name, missing) }
    }

    private func check() async throws {
        let facts = try await HostFacts.ask(first)
        let problems = facts.problems(for: inventory.disk(of: node))
        guard problems.isEmpty else { throw ProvisionPreconditionError.unfit(node.name, problems) }
    }

    /// Reboots and waits for a handshake of the node's own system. A handshake before the reboot may be that of the replaced
    /// machine.
    private func tunnel() async throws {
        let before = try await lastHandshake()
        let isRebooting = try await reboot()
        guard hub != nil else { return }
        try await wait("no handshake within 15 minutes", attempts: 90) {
            guard let (last, now) = try await lastHandshake() else { return false }
            return isRebooting ? last >= (before?.now ?? 0) : now - last < 180
        }
    }

    /// Reboots the machine. An unreachable machine is not a failure: it has been rebooted before, and its port is closed.
    ///
    /// - Returns: Whether it is rebooting now.
    private func reboot() async throws -> Bool {
        do {
            _ = try await first.run(.script(ProvisionScripts.reboot), input: nil, deadline: .seconds(60))
            return true
        } catch SSHError.unreachable, ChildError.timedOut {
            return false
        }
    }

    /// The time of the hub's last handshake with the node's key, 0 for none, and the present time, by the hub's clock.
    private func lastHandshake() async throws -> (last: Int64, now: Int64)? {
        let script = RemoteCommand.script("date +%s; wg show wg0 latest-handshakes")
        guard let hub else { return nil }
        let lines = try await hub.run(script, input: nil, deadline: .seconds(60)).split(separator: "\n")
        // The hub's output is validated.
        guard let now = lines.first.flatMap({ Int64($0) }), now > 0 else { return nil }
        for line in lines.dropFirst() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 2, words[0] == node.publicKey, let last = Int64(words[1]), (0...now).contains(last)
            else { continue }
            return (last, now)
        }
        return (0, now)
    }

    /// Waits until the node serves with a valid certificate. An ACME order may take minutes.
    private func serving() async throws {
        try await wait("\(node.url) is not ready after 15 minutes", attempts: 90) {
            switch await probe.health(of: node) {
            case .ready: return true
            case .notReady(let why): throw ProvisionWait.notReady(why)
            }
        }
    }

    private func heartbeat() async throws {
        guard let monitor else { return }
        try await wait("no heartbeat within 5 minutes", attempts: 30) {
            let report = try await monitor.fleet()
            return report.node(node.name)?.lastBeat.map { report.now - $0 < 60_000 } ?? false
        }
    }

    /// Polls every ten seconds. Other errors do not end the wait, because the machine may be rebooting.
    func wait(_ failure: String, attempts: Int, _ isDone: () async throws -> Bool) async throws {
        var last = ""
        for _ in 0..<attempts {
            do {
                if try await isDone() { return }
                last = ""
            } catch let error as CancellationError {
                throw error
            } catch let error as ProvisionError {
                throw error
            } catch {
                last = " (\(error))"
            }
            try await clock.sleep(until: clock.now.advanced(by: .seconds(10)), tolerance: nil)
        }
        throw ProvisionError.timedOut(node.name, failure + last)
    }
}

/// Why a wait continues.
enum ProvisionWait: Error, Equatable, CustomStringConvertible {
    case notReady(String)

    var description: String {
        switch self {
        case .notReady(let why): why
        }
    }
}
