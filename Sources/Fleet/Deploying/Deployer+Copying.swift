import Console

extension Deployer {
    private var copiesAtOnce: Int { 4 }

    /// Everything is everywhere before anything is touched anywhere.
    ///
    /// - Returns: False when a node did not get it.
    func copyAll(_ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog) async throws -> Bool {
        let open = plan.steps.filter { !progress.copied.contains($0.node) }
        let failures = try await concurrently(open, most: copiesAtOnce) { step -> String? in
            try log.write(.copying, node: step.node)
            if let failure = await attempt({ try await copy(step, plan) }) { return "\(step.node): \(failure)" }
            try log.write(.copied, node: step.node)
            return nil
        }
        let told = failures.compactMap(\.self)
        guard !told.isEmpty else { return true }
        try log.write(.stopping, text: "nothing was activated: \(told.joined(separator: "; "))")
        return false
    }

    private func copy(_ step: DeployPlan.Step, _ plan: DeployPlan) async throws {
        if !plan.options.isRollback {
            let child = calls.copy(step)
            let outcome = try await processes.run(child)
            guard outcome.status == 0 else {
                let said = outcome.errors.split(whereSeparator: \.isNewline).last ?? "no reason given"
                throw ChildError.failed(child.executable, String(said).sanitizedLine())
            }
        }
        _ = try await calls.ssh.perform(calls.hold(try inventory.node(step.node), step))
    }
}
