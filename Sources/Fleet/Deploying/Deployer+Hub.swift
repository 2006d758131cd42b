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
        guard lines.text("deploy") == plan.id else {
            let who = "\(lines.text("who") ?? "somebody") on \(lines.text("host") ?? "some machine")"
            let since = lines.number("since").map { " since \(max(0, now() - $0) / 60) minutes" } ?? ""
            throw DeployRefusal.locked(by: "\(who)\(since), deploy \(lines.text("deploy") ?? "of no known id")")
        }
    }

    func unlock(_ plan: DeployPlan) async throws {
        _ = try await calls.ssh.perform(NodeCall(try hub, calls.hub.unlock, [plan.id]))
    }

    func record(_ plan: DeployPlan, _ result: DeployResult, _ log: DeployLog) async throws {
        let record = DeployRecord(
            deploy: plan.id, who: author.name, host: author.host, ended: now(), result: result, version: plan.version,
            nodes: log.outcomes.mapValues(\.rawValue), why: log.why)
        _ = try await calls.ssh.perform(NodeCall(try hub, calls.hub.record, [plan.id, try record.line()]))
    }

    /// What was done, oldest first.
    package func history(most: Int) async throws -> [DeployRecord] {
        DeployRecord.read(try await calls.ssh.perform(NodeCall(try hub, calls.hub.history, ["\(most)"])))
    }
}
