import ArgumentParser
import Fleet

/// The names of the fleet.
struct DNSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Keep the fleet's names, and ill nodes out of the nearest one.",
        subcommands: [Plan.self, Apply.self, DNSWatch.self, DNSGdnsd.self])

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print what `dns apply` would change.")

        @OptionGroup var options: DNSOptions
        @Flag(help: "A JSON object for each line.") var json = false

        func run() async throws {
            try await options.withNames { names in
                let plan = try await names.plan()
                if json {
                    for line in plan.lines { try DNSLine("plan", line).write() }
                } else {
                    Terminal.line(
                        plan.isEmpty ? "All names are as they should be." : plan.lines.joined(separator: "\n"))
                }
            }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the names as the inventory has them.",
            discussion: """
                Names that the inventory does not have are left alone. Nodes that `dns watch` has taken out of the nearest \
                name stay out.
                """)

        @OptionGroup var options: DNSOptions
        @Flag(help: "A JSON object for each line.") var json = false

        func run() async throws {
            try await options.withNames { names in
                let plan = try await names.plan()
                try await names.provider.apply(plan.changes)
                for line in plan.lines { if json { try DNSLine("changed", line).write() } else { Terminal.line(line) } }
                let left = try await names.plan()
                guard left.isEmpty else {
                    throw CommandFailure(
                        "After the change this is still to do, so something else changes these names too:\n"
                            + left.lines.joined(separator: "\n"))
                }
                if plan.isEmpty, !json { Terminal.line("All names are as they should be.") }
            }
        }
    }
}

/// What every command about names is told.
struct DNSOptions: ParsableArguments {
    @OptionGroup var options: OperatorOptions

    /// The inventory's names and their keeper, for as long as `body` runs.
    func withNames(_ body: (Names) async throws -> Void) async throws {
        let workplace = try Workplace(options)
        guard let dns = workplace.inventory.dns else { throw RecordsError.noSettings }
        try await dns.withNames(of: workplace.inventory, now: Workplace.now) { provider in
            try await body(
                Names(workplace: workplace, provider: provider, state: WatchState(folder: workplace.state)))
        }
    }

    struct Names {
        var workplace: Workplace
        var provider: any NameProvider
        var state: WatchState

        var inventory: Inventory { workplace.inventory }

        func plan() async throws -> NamePlan {
            let wanted = try Records(inventory, withdrawn: Set(try state.read().withdrawn.keys))
            return NamePlan(wanted: wanted, present: try await provider.present(wanted.sets.keys.sorted()))
        }
    }
}

/// A line for programs.
struct DNSLine: Encodable {
    var event: String
    var text: String
    var node: String?
    /// Unix seconds.
    var at = Workplace.now()

    init(_ event: String, _ text: String, node: String? = nil) {
        self.event = event
        self.text = text
        self.node = node
    }

    func write() throws { try Terminal.json(self, pretty: false) }
}
