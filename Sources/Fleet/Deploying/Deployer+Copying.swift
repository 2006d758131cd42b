import Console

extension Deployer {
    private var maximumConcurrentCopies: Int { 4 }

    /// Copies all systems to their nodes before any is activated.
    ///
    /// - Returns: False if a copy failed.
    func copyAll(_ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog) async throws -> Bool {
        let remaining = plan.steps.filter { !progress.copied.contains($0.node) }
        let results = try await concurrently(remaining, limit: maximumConcurrentCopies) { step -> String? in
            try log.write(.copying, node: step.node)
            if let failure = await attempt({ try await copy(step, plan) }) { return "\(step.node): \(failure)" }
            try log.write(.copied, node: step.node)
            return nil
        }
        let failures = results.compactMap(\.self)
        guard !failures.isEmpty else { return true }
        try log.write(.stopping, text: "nothing was activated: \(failures.joined(separator: "; "))")
        return false
    }

    private func copy(_ step: DeployPlan.Step, _ plan: DeployPlan) async throws {
        if !plan.options.isRollback {
            let child = calls.copy(step)
            let outcome = try await processes.run(child)
            guard outcome.status == 0 else {
                let message = outcome.errors.split(whereSeparator: \.isNewline).last ?? "no reason given"
                throw ChildError.failed(child.executable, String(message).sanitizedLine())
            }
        }
        _ = try await calls.ssh.perform(calls.hold(try inventory.node(step.node), step))
    }
}
