/// Performs a `ProvisionPlan`, one step after the other, and writes down each that is done.
///
/// What it cannot undo comes after everything that can be checked beforehand: the conversion replaces a disk, and the
/// first system shuts the door by which we came.
package struct Provisioner<C: Clock>: Sendable where C.Duration == Duration {
    package typealias Tell = @Sendable (String) -> Void

    let plan: ProvisionPlan
    let inventory: Inventory
    let journal: ProvisionJournal
    let first: FirstShell
    /// Nil when the node is the hub itself.
    let hub: (any RemoteShell)?
    let secrets: SecretStore
    let monitor: (any FleetMonitor)?
    let processes: any ChildProcesses
    /// A folder that is on no disk.
    let memory: String
    let clock: C
    /// Unix seconds.
    let now: @Sendable () -> Int64

    /// Takes everything that it needs; `run` does the work.
    ///
    /// - Parameters:
    ///   - plan: What is to be done.
    ///   - inventory: Has the node.
    ///   - journal: Of the node.
    ///   - first: root on the new machine.
    ///   - hub: Nil when the node is the hub itself.
    ///   - secrets: Of the fleet.
    ///   - monitor: Nil: no heartbeat is waited for.
    ///   - processes: Run ssh and nix.
    ///   - memory: A folder that is on no disk, for secrets.
    ///   - clock: For waiting.
    ///   - now: Unix seconds.
    package init(
        _ plan: ProvisionPlan, inventory: Inventory, journal: ProvisionJournal, first: FirstShell,
        hub: (any RemoteShell)?, secrets: SecretStore, monitor: (any FleetMonitor)?, processes: any ChildProcesses,
        memory: String = "/dev/shm", clock: C, now: @escaping @Sendable () -> Int64
    ) {
        (self.plan, self.inventory, self.journal, self.first, self.hub) = (plan, inventory, journal, first, hub)
        (self.secrets, self.monitor, self.processes, self.memory) = (secrets, monitor, processes, memory)
        (self.clock, self.now) = (clock, now)
    }

    /// - Throws: What stopped it. Running it again goes on there.
    package func run(_ tell: Tell) async throws {
        ExtraFiles(of: plan.node, in: memory).removeAll()
        for step in plan.steps {
            tell(plan.sentence(step))
            try await perform(step)
            try journal.add(step, on: plan.hostKey, at: now())
        }
    }

    private var node: Node { plan.node }

    private func perform(_ step: ProvisionPlan.Step) async throws {
        switch step {
        case .readiness: try await readiness()
        case .check: try await check()
        case .convert:
            switch plan.method {
            case .infect(let script, let sha256, let channel): try await infect(script, sha256, channel)
            case .anywhere: try await anywhere()
            }
        case .secrets: _ = try await secrets.push(NodeSecret.allCases, to: node, first)
        case .system: try await system()
        case .tunnel: try await tunnel()
        case .heartbeat: try await heartbeat()
        }
    }

    private func readiness() async throws {
        var missing: [String] = []
        if node.ipv4.isEmpty { missing.append("it has no ipv4 in the inventory") }
        if node.publicKey.isEmpty { missing.append("it has no public-key: clavitor-soc keys generate \(node.name)") }
        missing += try await secrets.missing(node).map { "\($0.rawValue) is not set" }
        if let hub, !node.publicKey.isEmpty {
            let peers = try await hub.run(.script("wg show wg0 peers"), input: nil, deadline: .seconds(60))
            if !peers.split(separator: "\n").contains(Substring(node.publicKey)) {
                missing.append("the hub does not know its key: deploy the hub first")
            }
        }
        guard missing.isEmpty else { throw ProvisionRefusal.notReady(node.name, missing) }
    }

    private func check() async throws {
        let facts = try await HostFacts.ask(first)
        let problems = facts.problems(
            for: plan.method, expectedRoot: node.root ?? inventory.providers[node.provider]?.root)
        guard problems.isEmpty else { throw ProvisionRefusal.unfit(node.name, problems) }
    }

    /// Waits for the node's own system, which is rebooted into first unless its handshake is there already.
    private func tunnel() async throws {
        if plan.method != .anywhere, try await !isKnownToHub() { try await reboot() }
        guard hub != nil else { return }
        try await wait("no handshake within 15 minutes", attempts: 90) { try await isKnownToHub() }
    }

    /// That nobody answers is no failure: the answer to an earlier request was lost, and the port is shut by now.
    private func reboot() async throws {
        do {
            _ = try await first.run(.script(ProvisionScripts.reboot), input: nil, deadline: .seconds(60))
        } catch SSHError.unreachable, ChildError.timedOut {
            return
        }
    }

    /// Whether there was a handshake less than three minutes ago, by the hub's own clock.
    private func isKnownToHub() async throws -> Bool {
        let script = RemoteCommand.script("date +%s; wg show wg0 latest-handshakes")
        guard let hub else { return false }
        let lines = try await hub.run(script, input: nil, deadline: .seconds(60)).split(separator: "\n")
        guard let time = lines.first.flatMap({ Int64($0) }) else { return false }
        return lines.dropFirst().contains { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 2, words[0] == node.publicKey, let last = Int64(words[1]) else { return false }
            // Whatever the hub says.
            let (age, isTooLarge) = time.subtractingReportingOverflow(last)
            return last > 0 && !isTooLarge && age < 180
        }
    }

    private func heartbeat() async throws {
        guard let monitor else { return }
        try await wait("no heartbeat within 5 minutes", attempts: 30) {
            let report = try await monitor.fleet()
            return report.node(node.name)?.lastBeat.map { report.now - $0 < 60_000 } ?? false
        }
    }

    /// Asks every ten seconds. An error is an answer too: the machine may be rebooting.
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
