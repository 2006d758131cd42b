import ArgumentParser
import Console
import Fleet

/// Manages the fleet's DNS records.
struct DNSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Manage the fleet's DNS names, and keep unhealthy nodes out of the nearest name.",
        subcommands: [
            Plan.self, Apply.self, DNSWatch.self, DNSWithdraw.self, DNSRestore.self, DNSGdnsd.self,
        ])

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the changes of `dns apply`, and remaining manual steps.")

        @OptionGroup var options: DNSOptions
        @OptionGroup var members: DNSMembers
        @Flag(help: "Print one JSON object per line.") var json = false

        func run() async throws {
            try await options.withProvider { names in
                let plan = try await names.plan(members)
                let remarks = try await names.remarks(members)
                if json {
                    for line in plan.lines { try DNSLine("plan", line).write() }
                    for line in remarks { try DNSLine("remark", line).write() }
                } else {
                    let lines = (plan.isEmpty ? ["All names are up to date."] : plan.lines) + remarks
                    Terminal.line(lines.map(\.printable).joined(separator: "\n"))
                }
            }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Update the names from the inventory.",
            discussion: """
                Names that are not in the inventory are not changed. `dns watch`, wherever it runs, decides which nodes are in \
                the nearest name: if the name exists, only addresses that no node has any more are removed from it. --nearest \
                adds all nodes that the watch with this state directory has not withdrawn.
                """)

        @OptionGroup var options: DNSOptions
        @OptionGroup var members: DNSMembers
        @Flag(help: "Print one JSON object per line.") var json = false

        func run() async throws {
            try await options.withProvider { names in
                let plan = try await names.plan(members)
                try await names.provider.apply(plan.changes)
                for line in plan.lines { if json { try DNSLine("changed", line).write() } else { Terminal.line(line) } }
                let remaining = try await names.plan(members)
                guard remaining.isEmpty else {
                    throw CommandFailure(
                        "These changes were reverted, so another program changes the names too:\n"
                            + remaining.lines.joined(separator: "\n"))
                }
                if plan.isEmpty, !json { Terminal.line("All names are up to date.") }
                for line in try await names.remarks(members) { Terminal.note(line.printable) }
            }
        }
    }
}

/// The option for the membership of the nearest name.
struct DNSMembers: ParsableArguments {
    @Flag(help: "Also add nodes to the nearest name. Do not use it while a `dns watch` runs elsewhere.")
    var nearest = false
}

/// Options of all DNS commands.
struct DNSOptions: ParsableArguments {
    @OptionGroup var options: OperatorOptions

    /// Runs `body` with the inventory's names and their provider.
    func withProvider(_ body: (Names) async throws -> Void) async throws {
        let context = try OperatorContext(options)
        guard let dns = context.inventory.dns else { throw RecordsError.noSettings }
        try await dns.withProvider(of: context.inventory, now: OperatorContext.now) { provider in
            try await body(
                Names(context: context, provider: provider, state: WatchState(folder: context.state)))
        }
    }

    struct Names {
        var context: OperatorContext
        var provider: any NameProvider
        var state: WatchState

        var inventory: Inventory { context.inventory }

        func plan(_ members: DNSMembers) async throws -> NamePlan {
            let policy = try state.read()
            let wanted = try Records(
                inventory, withdrawn: Set(policy.withdrawn.keys), belowFloor: policy.belowFloor)
            return NamePlan(
                wanted: wanted, present: try await provider.present(wanted.sets.keys.sorted()),
                keepingMembers: !members.nearest)
        }

        /// Remaining manual steps and absent nodes, as sentences.
        func remarks(_ members: DNSMembers) async throws -> [String] {
            try await absences(addingMissing: members.nearest) + provider.remarks()
        }

        /// Which nodes are not in the nearest name, and why, as sentences.
        ///
        /// `addingMissing`: Whether an apply adds nodes that are merely missing, so that they are not listed.
        func absences(addingMissing: Bool = false) async throws -> [String] {
            let withdrawn = try state.read().withdrawn.sorted { $0.key < $1.key }
            let all = try Records(inventory)
            let present = try await provider.present([all.nearest])[all.nearest]?.addresses
            let out = Set(withdrawn.map(\.key))
            let overrides = try state.overrides().filter { !out.contains($0.key) }.sorted { $0.key < $1.key }
            let missing = all.nodes.filter {
                !(present?.contains($0.key) ?? true) && !out.contains($0.value) && all.members.contains($0.value)
            }
            let others = addingMissing ? [] : Set(missing.values).sorted()
            return withdrawn.map { "\($0.key) is out of the nearest name: \($0.value)." }
                + overrides.map {
                    "\($0.key) leaves the nearest name at the next evaluation of `dns watch`: \($0.value)."
                }
                + others.map { "\($0) is not in the nearest name. `dns watch` or `dns apply --nearest` adds it." }
        }
    }
}

/// A line of JSON output.
struct DNSLine: Encodable {
    var event: String
    var text: String
    var node: String?
    /// Unix seconds.
    var at = OperatorContext.now()

    init(_ event: String, _ text: String, node: String? = nil) {
        self.event = event
        self.text = text
        self.node = node
    }

    func write() throws { try Terminal.json(self, pretty: false) }
}
