extension Deployer {
    private var hub: Node {
        get throws(DeployRefusal) {
            guard let hub = inventory.hub else { throw .notReady(["the inventory has no hub"]) }
            return hub
        }
    }

    /// - Throws: `DeployRefusal.locked` when somebody else has it.
    func lock(_ plan: DeployPlan, isTakingOver: Bool) async throws {
        let answer = try await calls.ssh.perform(
            NodeCall(
                try hub, calls.hub.lock,
                [plan.id, author.name, author.host, "\(now())"] + (isTakingOver ? ["break"] : [])))
        let lines = NodeLines(answer)
        guard lines.text("deploy") == plan.id else { throw DeployRefusal.locked(by: holder(lines)) }
    }

    /// Whether somebody has taken the lock over meanwhile, as who breaks it may do to a program that seems dead.
    ///
    /// - Returns: In words what became of it, or why that cannot be known; nil when it is still ours.
    func lostLock(_ plan: DeployPlan) async throws -> String? {
        var trouble = ""
        for attempt in 0..<5 {
            if attempt > 0 { try await clock.sleep(for: .seconds(5)) }
            do {
                let lines = NodeLines(try await calls.ssh.perform(NodeCall(try hub, calls.hub.owner, [])))
                if lines.text("deploy") == plan.id { return nil }
                return lines.text("deploy") == nil
                    ? "somebody has broken this deploy's lock, and is done"
                    : "the lock is another's now: \(holder(lines))"
            } catch {
                trouble = "\(error)"
            }
        }
        return "nobody knows whether the lock is still ours: \(trouble)"
    }

    private func holder(_ lines: NodeLines) -> String {
        let who = "\(lines.text("who") ?? "somebody") on \(lines.text("host") ?? "some machine")"
        let (age, isAbsurd) = now().subtractingReportingOverflow(lines.number("since") ?? now())
        let since = isAbsurd ? "" : " since \(max(0, age) / 60) minutes"
        return "\(who)\(since), deploy \(lines.text("deploy") ?? "of no known id")"
    }

    func unlock(_ plan: DeployPlan) async throws {
        _ = try await calls.ssh.perform(NodeCall(try hub, calls.hub.unlock, [plan.id]))
    }

    func record(_ plan: DeployPlan, _ result: DeployResult, _ log: DeployLog) async throws {
        let record = DeployRecord(
            deploy: plan.id, who: author.name, host: author.host, ended: now(), result: result, version: plan.version,
            revision: plan.revision, nodes: log.outcomes.mapValues(\.rawValue), why: log.why,
            isRollback: plan.options.isRollback)
        _ = try await calls.ssh.perform(NodeCall(try hub, calls.hub.record, [plan.id, try record.line()]))
    }

    /// What was done, oldest first.
    package func history(most: Int) async throws -> [DeployRecord] {
        DeployRecord.read(try await calls.ssh.perform(NodeCall(try hub, calls.hub.history, ["\(most)"])))
    }
}
