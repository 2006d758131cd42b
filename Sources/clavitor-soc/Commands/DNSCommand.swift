import ArgumentParser
import Console
import Fleet

/// The names of the fleet.
struct DNSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Keep the fleet's names, and ill nodes out of the nearest one.",
        subcommands: [
            Plan.self, Apply.self, DNSWatch.self, DNSWithdraw.self, DNSRestore.self, DNSGdnsd.self,
        ])

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what `dns apply` would change, and what is to do besides.")

        @OptionGroup var options: DNSOptions
        @OptionGroup var members: DNSMembers
        @Flag(help: "A JSON object for each line.") var json = false

        func run() async throws {
            try await options.withNames { names in
                let plan = try await names.plan(members)
                let remarks = try await names.remarks(members)
                if json {
                    for line in plan.lines { try DNSLine("plan", line).write() }
                    for line in remarks { try DNSLine("remark", line).write() }
                } else {
                    let lines = (plan.isEmpty ? ["All names are as they should be."] : plan.lines) + remarks
                    Terminal.line(lines.map(\.printable).joined(separator: "\n"))
                }
            }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the names as the inventory has them.",
            discussion: """
                Names that the inventory does not have are left alone. Who of the nodes is in the nearest name is for \
                `dns watch` to say, wherever it runs: once the name exists, only addresses that no node has any more are \
                taken out of it. --nearest puts in all that the watch with this state directory has not taken out.
                """)

        @OptionGroup var options: DNSOptions
        @OptionGroup var members: DNSMembers
        @Flag(help: "A JSON object for each line.") var json = false

        func run() async throws {
            try await options.withNames { names in
                let plan = try await names.plan(members)
                try await names.provider.apply(plan.changes)
                for line in plan.lines { if json { try DNSLine("changed", line).write() } else { Terminal.line(line) } }
                let left = try await names.plan(members)
                guard left.isEmpty else {
                    throw CommandFailure(
                        "After the change this is still to do, so something else changes these names too:\n"
                            + left.lines.joined(separator: "\n"))
                }
                if plan.isEmpty, !json { Terminal.line("All names are as they should be.") }
                for line in try await names.remarks(members) { Terminal.note(line.printable) }
            }
        }
    }
}

/// Who says which nodes are in the nearest name.
struct DNSMembers: ParsableArguments {
    @Flag(help: "Also put nodes into the nearest name. Not while a `dns watch` runs elsewhere.")
    var nearest = false
}

/// What every command about names is told.
struct DNSOptions: ParsableArguments {
    @OptionGroup var options: OperatorOptions

    /// The inventory's names and their keeper, for as long as `body` runs.
    func withNames(_ body: (Names) async throws -> Void) async throws {
        let context = try OperatorContext(options)
        guard let dns = context.inventory.dns else { throw RecordsError.noSettings }
        try await dns.withNames(of: context.inventory, now: OperatorContext.now) { provider in
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
            let withdrawal = try state.read()
            let wanted = try Records(
                inventory, withdrawn: Set(withdrawal.withdrawn.keys), belowFloor: withdrawal.belowFloor)
            return NamePlan(
                wanted: wanted, present: try await provider.present(wanted.sets.keys.sorted()),
                keepingMembers: !members.nearest)
        }

        /// What is not done by an apply, in sentences.
        func remarks(_ members: DNSMembers) async throws -> [String] {
            try await absences(toldToApply: members.nearest) + provider.remarks()
        }

        /// Which nodes are not in the nearest name, and why, in sentences.
        ///
        /// `toldToApply`: Who is just missing is put in by an apply.
        func absences(toldToApply: Bool = false) async throws -> [String] {
            let withdrawn = try state.read().withdrawn.sorted { $0.key < $1.key }
            let all = try Records(inventory)
            let standing = try await provider.present([all.nearest])[all.nearest]?.addresses
            let out = Set(withdrawn.map(\.key))
            let overrides = try state.overrides().filter { !out.contains($0.key) }.sorted { $0.key < $1.key }
            let missing = all.nodes.filter {
                !(standing?.contains($0.key) ?? true) && !out.contains($0.value) && all.members.contains($0.value)
            }
            let others = toldToApply ? [] : Set(missing.values).sorted()
            return withdrawn.map { "\($0.key) is out of the nearest name: \($0.value)." }
                + overrides.map {
                    "\($0.key) is to leave the nearest name with the next look of `dns watch`: \($0.value)."
                }
                + others.map { "\($0) is not in the nearest name. `dns watch` puts it in, or `dns apply --nearest`." }
        }
    }
}

/// A line for programs.
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
