extension Deployer {
    private var hub: Node {
        get throws(DeployPreconditionError) {
            guard let hub = inventory.hub else { throw .notReady(["the inventory has no hub"]) }
            return hub
        }
    }

    /// - Throws: `DeployPreconditionError.locked` if another deploy has the lock.
    package func lock(_ plan: DeployPlan, isTakingOver: Bool) async throws {
        let output = try await calls.ssh.perform(
            RemoteCall(
                try hub, calls.hub.lock,
                [plan.id, author.name, author.host, "\(now())"] + (isTakingOver ? ["break"] : [])))
        let lines = KeyValueLines(output)
        guard lines.text("deploy") == plan.id else { throw DeployPreconditionError.locked(by: owner(lines)) }
    }

    /// Checks whether this deploy still has the lock, which another operator may have broken.
    ///
    /// - Returns: What happened to the lock, or why that is unknown; nil if this deploy still has it.
    func lostLock(_ plan: DeployPlan) async throws -> String? {
        var failure = ""
        for attempt in 0..<5 {
            if attempt > 0 { try await clock.sleep(for: .seconds(5)) }
            do {
                let lines = KeyValueLines(try await calls.ssh.perform(RemoteCall(try hub, calls.hub.owner, [])))
                if lines.text("deploy") == plan.id { return nil }
                return lines.text("deploy") == nil
                    ? "this deploy's lock was broken and released"
                    : "the lock was taken over by \(owner(lines))"
            } catch {
                failure = "\(error)"
            }
        }
        return "the state of the lock is unknown: \(failure)"
    }

    private func owner(_ lines: KeyValueLines) -> String {
        let who = "\(lines.text("who") ?? "an unknown operator") on \(lines.text("host") ?? "an unknown machine")"
        let (age, hasOverflow) = now().subtractingReportingOverflow(lines.number("since") ?? now())
        let since = hasOverflow ? "" : ", started \(max(0, age) / 60) minutes ago"
        return "\(who)\(since), deploy \(lines.text("deploy") ?? "with an unknown id")"
    }

    package func unlock(_ plan: DeployPlan) async throws {
        _ = try await calls.ssh.perform(RemoteCall(try hub, calls.hub.unlock, [plan.id]))
    }

    func record(_ plan: DeployPlan, _ result: DeployResult, _ log: DeployLog) async throws {
        let record = DeployRecord(
            deploy: plan.id, who: author.name, host: author.host, ended: now(), result: result, version: plan.version,
            revision: plan.revision, nodes: log.outcomes.mapValues(\.rawValue), why: log.why,
            isRollback: plan.options.isRollback)
        _ = try await calls.ssh.perform(RemoteCall(try hub, calls.hub.record, [plan.id, try record.line()]))
    }

    /// The last deploys, oldest first.
    package func history(limit: Int) async throws -> [DeployRecord] {
        DeployRecord.read(try await calls.ssh.perform(RemoteCall(try hub, calls.hub.history, ["\(limit)"])))
    }
}
