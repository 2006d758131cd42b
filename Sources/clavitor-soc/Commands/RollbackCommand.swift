import ArgumentParser
import Console
import Fleet

/// Back to the generation before, as carefully as forward.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Return nodes to the generation before, through the same gate and timer.")

    @OptionGroup var options: OperatorOptions
    @OptionGroup var rollout: RolloutOptions
    @Argument(help: "The node.") var node: String?
    @Flag(help: "Every node that has a generation before.") var all = false

    func validate() throws {
        guard (node == nil) == all else { throw ValidationError("Name a node, or say --all.") }
    }

    func run() async throws {
        let workplace = try Workplace(options)
        try await workplace.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let deployer = workplace.deployer(probe, monitor)
            let performance = try DeployPerformance(workplace, rollout, deployer, monitor)
            var options = rollout.deployOptions
            options.isThere = true
            // A rollback is for when something is wrong.
            options.allowsIll = true
            let asked = try node.map { [try workplace.inventory.node($0)] } ?? workplace.inventory.nodes
            let found = await deployer.preflight(asked, nil, options)
            guard found.problems.isEmpty else { throw DeployRefusal.notReady(found.problems) }
            let systems = found.facts.compactMapValues(\.previous)
            guard all || systems.count == asked.count else {
                throw DeployRefusal.notReady(["\(asked[0].name) has no generation before the present one"])
            }
            let nodes = asked.filter { systems[$0.name] != nil }
            try await performance.perform(Release(systems: systems), on: nodes, options)
        }
    }
}

/// What the hub remembers.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Print who deployed what, when, and what came of it.")

    @OptionGroup var options: OperatorOptions
    @Option(help: "How many, the last ones.") var lines = 20
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
        let workplace = try Workplace(options)
        try await workplace.connected(withoutMonitor: true) { probe, _ in
            let records = try await workplace.deployer(probe, nil).history(most: lines)
            if json { return try Terminal.json(records) }
            var table = Table("ended", "deploy", "who", "result", "nodes", "why")
            for record in records {
                table.add(
                    Moment.text(record.ended), record.deploy, "\(record.who)@\(record.host)", record.result.rawValue,
                    "\(record.nodes.count)", record.why ?? "")
            }
            Terminal.line(table.text)
        }
    }
}
