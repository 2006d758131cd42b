import ArgumentParser
import Console
import Fleet

/// Takes a node out of the nearest name by hand.
struct DNSWithdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take a node out of the nearest name by hand, however healthy it looks.",
        discussion: """
            For a node that may be broken into. Its own name stays, so its vaults do. Give the state directory of the \
            `dns watch` that keeps the names: that one honours it, and takes the node out at its next look. Where none runs, \
            this looks once itself.
            """)

    @OptionGroup var options: DNSOptions
    @Argument(help: "The node.") var node: String
    @Option(name: .customLong("for"), help: "For so long, such as 30m, 2h or 3d. (default: until `dns restore`)")
    var stretch: Stretch?
    @Flag(help: "Also when fewer than the floor, or than half of all nodes, are left.") var belowFloor = false

    func run() async throws {
        let context = try OperatorContext(options.options)
        let inventory = context.inventory
        guard let dns = inventory.dns else { throw RecordsError.noSettings }
        guard context.settings.monitorTokenFile != nil else {
            throw CommandFailure(
                "Names are changed with the monitor's word only: monitor-token-file in soc.toml.", code: 2)
        }
        let state = WatchState(folder: context.state)
        let now = OperatorContext.now() * 1_000
        let author = OperatorContext.author
        let hand = ManualOverride(
            by: "\(author.name)@\(author.host)", at: now, until: stretch.map { now + $0.seconds * 1_000 },
            isBelowFloor: belowFloor)
        var change: String?
        try state.changeHands { overrides in
            let members = FailoverPolicy.members(inventory.nearestMembers, overrides)
            let rules = FailoverPolicy.Rules(floor: dns.floor)
            // With what others have said since the watch looked.
            var withdrawal = try state.read()
            _ = withdrawal.judge([:], of: members, rules: rules, at: now)
            try withdrawal.permit(hand, for: try inventory.node(node).name, of: members, rules: rules)
            change = hand.change(from: overrides[node].flatMap { $0.isOver(at: now) ? nil : $0 }, of: node)
            overrides[node] = hand
        }
        if let change { Terminal.line(change.printable) }
        try await DNSWatch.look(options)
    }

    /// A length of time as one writes it.
    struct Stretch: ExpressibleByArgument, Equatable {
        private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        private static let longest: Int64 = 365 * 86_400

        let seconds: Int64

        init?(argument: String) {
            guard let unit = argument.last.flatMap({ Self.units[$0] }), let count = Int64(argument.dropLast()),
                count > 0, count <= Self.longest / unit
            else { return nil }
            seconds = count * unit
        }
    }
}

/// Puts back what `DNSWithdraw` took out.
struct DNSRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a node back that was taken out by hand.",
        discussion: "If it is ill it leaves again at once. Give the state directory of the `dns watch`.")

    @OptionGroup var options: DNSOptions
    @Argument(help: "The node.") var node: String

    func run() async throws {
        let state = WatchState(folder: try options.options.stateDirectory())
        try state.changeHands {
            guard $0.removeValue(forKey: node) != nil else { throw ManualOverrideError.notByHand(node) }
        }
        try await DNSWatch.look(options)
    }
}
