/// Every command line of a deploy, made in one place: what `--dry-run` prints is what runs.
package struct DeployCalls: Sendable {
    package let ssh: SSH
    package let scripts: NodeScripts
    package let hub: HubScripts

    package init(_ ssh: SSH, _ paths: NodePaths) {
        self.ssh = ssh
        scripts = NodeScripts(paths)
        hub = HubScripts(paths)
    }

    func facts(_ node: Node) -> NodeCall { NodeCall(node, scripts.facts, []) }

    func copy(_ step: DeployPlan.Step) -> ChildProcess {
        var child = ChildProcess(
            "nix-copy-closure", ["--to", step.node, step.target], deadline: .seconds(3_600))
        child.environment = ["NIX_SSHOPTS": "-F \(ssh.places.config)"]
        return child
    }

    func hold(_ node: Node, _ step: DeployPlan.Step) -> NodeCall { NodeCall(node, scripts.hold, [step.target]) }

    func begin(_ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan) -> NodeCall {
        NodeCall(
            node, scripts.begin,
            [plan.id, step.target, "\(plan.options.window)", step.previous] + (plan.options.isRollback ? ["back"] : []))
    }

    /// Always over a new connection: an old one lives on where no new one could be made.
    func state(_ node: Node, _ plan: DeployPlan) -> NodeCall {
        NodeCall(node, scripts.state, [plan.id], fresh: true, deadline: .seconds(20))
    }

    /// Making it the boot default writes the boot loader's menu, which may take its time.
    func confirm(_ node: Node, _ plan: DeployPlan) -> NodeCall {
        NodeCall(node, scripts.confirm, [plan.id], fresh: true, deadline: .seconds(120))
    }

    func abort(_ node: Node, _ plan: DeployPlan) -> NodeCall {
        NodeCall(node, scripts.abort, [plan.id], fresh: true)
    }

    /// What the lines of a plan send to nodes.
    package var sent: [NodeScript] { [scripts.hold, scripts.begin, scripts.state, scripts.confirm] }

    /// For people: all that will run when nothing goes wrong, in order. `state` is repeated until the node is well.
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
