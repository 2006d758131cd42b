import ArgumentParser
import Console
import Fleet

/// Back to the generation before, as carefully as forward.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Return nodes to the generation before, through the same gate and timer.",
        discussion: """
            The generation that is left is removed; its system stays for diagnosis. Doing it again goes one generation \
            further back.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var rollout: RolloutOptions
    @Argument(help: "The nodes.") var nodes: [String] = []
    @Flag(help: "Every node that has the last deploy; the others are named and left out.") var all = false

    func validate() throws {
        guard nodes.isEmpty == all else { throw ValidationError("Name nodes, or say --all.") }
    }

    func run() async throws {
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let deployer = try context.deployer(probe, monitor)
            let performance = try DeployRunner(context, rollout, deployer, monitor)
            var options = rollout.deployOptions
            options.isRollback = true
            // A rollback is for when something is wrong.
            options.allowsIll = true
            let asked = try context.nodes(nodes)
            let found = await deployer.preflight(asked, nil, options)
            let history = all ? try await deployer.history(most: 1_000) : []
            let rollback = try Rollback(asked, found, history, isAll: all)
            for problem in rollback.leftOut { Terminal.note("left out: \(problem)".printable) }
            for node in rollback.nodes {
                let (from, to) = (found.facts[node.name]?.current ?? "", rollback.systems[node.name] ?? "")
                Terminal.note("\(node.name): from \(from) to \(to)".printable)
            }
            try await performance.perform(Release(systems: rollback.systems), on: rollback.nodes, options)
            if !rollback.leftOut.isEmpty { throw ExitCode(1) }
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
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: true) { probe, _ in
            let records = try await context.deployer(probe, nil).history(most: lines)
            if json { return try Terminal.json(records) }
            var table = Table("ended", "kind", "who", "result", "version", "nixpkgs", "nodes", "why")
            for record in records {
                table.add(
                    Moment.text(record.ended), record.isRollback ? "rollback" : "deploy",
                    "\(record.who)@\(record.host)", record.result.rawValue, record.version ?? "-",
                    record.revision.map { String($0.prefix(12)) } ?? "-",
                    record.nodes.keys.sorted().joined(separator: ","), record.why ?? "")
            }
            Terminal.line(table.text)
        }
    }
}
