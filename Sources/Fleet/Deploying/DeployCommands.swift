/// Builds every command line of a deploy, so that `--dry-run` prints exactly what would run.
package struct DeployCommands: Sendable {
    package let ssh: SSH
    package let scripts: DeployScripts
    package let hub: HubScripts

    package init(_ ssh: SSH, _ paths: NodePaths) {
        self.ssh = ssh
        scripts = DeployScripts(paths)
        hub = HubScripts(paths)
    }

    func facts(_ node: Node) -> RemoteCall { RemoteCall(node, scripts.facts, []) }

    package func copy(_ step: DeployPlan.Step) -> ChildProcess {
        var child = ChildProcess(
            "nix-copy-closure", ["--to", step.node, step.target], deadline: .seconds(3_600))
        child.environment = ["NIX_SSHOPTS": "-F \(ssh.paths.config)"]
        return child
    }

    func hold(_ node: Node, _ step: DeployPlan.Step) -> RemoteCall { RemoteCall(node, scripts.hold, [step.target]) }

    package func begin(_ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan) -> RemoteCall {
        RemoteCall(
            node, scripts.begin,
            [plan.id, step.target, "\(plan.options.window)", step.previous] + (plan.options.isRollback ? ["back"] : []))
    }

    /// Always over a new connection: an existing one may work when new connections fail.
    func state(_ node: Node, _ plan: DeployPlan) -> RemoteCall {
        RemoteCall(node, scripts.state, [plan.id], fresh: true, deadline: .seconds(20))
    }

    /// Has a long deadline, because writing the boot loader's menu may be slow.
    func confirm(_ node: Node, _ plan: DeployPlan) -> RemoteCall {
        RemoteCall(node, scripts.confirm, [plan.id], fresh: true, deadline: .seconds(120))
    }

    func abort(_ node: Node, _ plan: DeployPlan) -> RemoteCall {
        RemoteCall(node, scripts.abort, [plan.id], fresh: true)
    }

    /// The scripts in the lines of a plan.
    package var planScripts: [RemoteScript] { [scripts.hold, scripts.begin, scripts.state, scripts.confirm] }

    /// Every command of a successful deploy, in order. `state` is repeated until the node is healthy.
    package func lines(_ plan: DeployPlan, _ inventory: Inventory) throws -> [String] {
        var lines: [String] = []
        for step in plan.steps {
            let node = try inventory.node(step.node)
            if !plan.options.isRollback { lines.append("\(copy(step))") }
            lines.append(try ssh.line(hold(node, step)))
        }
        for (index, wave) in plan.waves.enumerated() {
            lines.append("# wave \(index + 1) of \(plan.waves.count)")
            for step in wave {
                let node = try inventory.node(step.node)
                for call in [begin(node, step, plan), state(node, plan), confirm(node, plan)] {
                    lines.append(try ssh.line(call))
                }
            }
            if index == 0, plan.waves.count > 1, plan.options.soak > 0 { lines.append("# soak \(plan.options.soak) s") }
        }
        return lines
    }
}
