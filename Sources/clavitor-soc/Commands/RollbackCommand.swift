import ArgumentParser
import Console
import Fleet

/// Rolls nodes back to their previous generation.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Return nodes to the previous generation, with the same health checks and timer.",
        discussion: """
            The present generation is deleted; its system is kept for diagnosis. Another rollback goes one generation further \
            back.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var rollout: RolloutOptions
    @Argument(help: "Nodes.") var nodes: [String] = []
    @Flag(help: "Roll back every node that has the last deploy; others are reported and left out.") var all = false

    func validate() throws {
        guard nodes.isEmpty == all else { throw ValidationError("Specify nodes or --all.") }
    }

    func run() async throws {
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let deployer = try context.deployer(probe, monitor)
            let runner = try DeployRunner(context, rollout, deployer, monitor)
            var options = rollout.deployOptions
            options.isRollback = true
            // A rollback must work while nodes are unhealthy.
            options.allowsUnhealthy = true
            let asked = try context.nodes(nodes)
            let found = await deployer.preflight(asked, nil, options)
            let history = all ? try await deployer.history(limit: 1_000) : []
            let rollback = try Rollback(asked, found, history, isAll: all)
            for problem in rollback.leftOut { Terminal.note("left out: \(problem)".printable) }
            for node in rollback.nodes {
                let (from, to) = (found.facts[node.name]?.current ?? "", rollback.systems[node.name] ?? "")
                Terminal.note("\(node.name): from \(from) to \(to)".printable)
            }
            try await runner.perform(Release(systems: rollback.systems), on: rollback.nodes, options)
            if !rollback.leftOut.isEmpty { throw ExitCode(1) }
        }
    }
}

/// Prints the deploy history of the hub.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Print the deploy history.")

    @OptionGroup var options: OperatorOptions
    @Option(help: "Number of entries.") var lines = 20
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: true) { probe, _ in
            let records = try await context.deployer(probe, nil).history(limit: lines)
            if json { return try Terminal.json(records) }
            var table = Table("ended", "kind", "who", "result", "version", "nixpkgs", "nodes", "why")
            for record in records {
                table.add(
                    Timestamp.text(record.ended), record.isRollback ? "rollback" : "deploy",
                    "\(record.who)@\(record.host)", record.result.rawValue, record.version ?? "-",
                    record.revision.map { String($0.prefix(12)) } ?? "-",
                    record.nodes.keys.sorted().joined(separator: ","), record.why ?? "")
            }
            Terminal.line(table.text)
        }
    }
}
