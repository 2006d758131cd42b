import ArgumentParser
import Console
import Fleet

/// Withdraws a node from the nearest name with a manual override.
struct DNSWithdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Withdraw a node from the nearest name with a manual override, even if it is healthy.",
        discussion: """
            For a node that may be compromised. Its own name stays, so that its vaults stay reachable. Use the state directory \
            of the running `dns watch`, which withdraws the node at its next evaluation. Without a running watch this command \
            evaluates once itself.
            """)

    @OptionGroup var options: DNSOptions
    @Argument(help: "Node.") var node: String
    @Option(name: .customLong("for"), help: "Duration, such as 30m, 2h or 3d. (default: until `dns restore`)")
    var duration: DurationArgument?
    @Flag(help: "Withdraw it even if fewer than the floor, or than half of all nodes, are left.") var belowFloor = false

    func run() async throws {
        let context = try OperatorContext(options.options)
        let inventory = context.inventory
        guard let dns = inventory.dns else { throw RecordsError.noSettings }
        guard context.settings.monitorTokenFile != nil else {
            throw CommandFailure(
                "Changing names requires the monitor; set monitor-token-file in soc.toml.", code: 2)
        }
        let state = WatchState(folder: context.state)
        let now = OperatorContext.now() * 1_000
        let author = OperatorContext.author
        let manualOverride = ManualOverride(
            by: "\(author.name)@\(author.host)", at: now, until: duration.map { now + $0.seconds * 1_000 },
            isBelowFloor: belowFloor)
        var change: String?
        try state.editOverrides { overrides in
            let members = FailoverPolicy.members(inventory.nearestMembers, overrides)
            let rules = FailoverPolicy.Rules(floor: dns.floor)
            // Includes overrides that were added since the last evaluation of the watch.
            var policy = try state.read()
            _ = policy.evaluate([:], of: members, rules: rules, at: now)
            try policy.validate(manualOverride, for: try inventory.node(node).name, of: members, rules: rules)
            change = manualOverride.change(
                from: overrides[node].flatMap { $0.hasExpired(at: now) ? nil : $0 }, of: node)
            overrides[node] = manualOverride
        }
        if let change { Terminal.line(change.printable) }
        try await DNSWatch.runOnce(options)
    }

    /// A duration such as `30m`, `2h` or `3d`.
    struct DurationArgument: ExpressibleByArgument, Equatable {
        private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        private static let maximum: Int64 = 365 * 86_400

        let seconds: Int64

        init?(argument: String) {
            guard let unit = argument.last.flatMap({ Self.units[$0] }), let count = Int64(argument.dropLast()),
                count > 0, count <= Self.maximum / unit
            else { return nil }
            seconds = count * unit
        }
    }
}

/// Ends a manual override of `DNSWithdraw`.
struct DNSRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "End the manual override of a node.",
        discussion: "An unhealthy node is withdrawn again at once. Use the state directory of the `dns watch`.")

    @OptionGroup var options: DNSOptions
    @Argument(help: "Node.") var node: String

    func run() async throws {
        let state = WatchState(folder: try options.options.stateDirectory())
        try state.editOverrides {
            guard $0.removeValue(forKey: node) != nil else { throw ManualOverrideError.noOverride(node) }
        }
        try await DNSWatch.runOnce(options)
    }
}
