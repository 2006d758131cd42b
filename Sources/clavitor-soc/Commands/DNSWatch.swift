import ArgumentParser
import Console
import Fleet
import FoundationEssentials

/// Looks at the fleet every few seconds, from the monitor and from here.
struct DNSWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Take ill nodes out of the nearest name, and put healthy ones back.",
        discussion: """
            A node leaves when the monitor has missed two of its beats and its /readyz cannot be had from here either. It \
            comes back after two minutes of health, more each time. At least `floor` nodes of [dns] stay, and at least half. \
            While the monitor cannot be asked, or most nodes fall silent at once, nothing is changed. Nodes' own names are \
            never touched. A changed inventory is taken up at the next look.

            With --once it exits 1 when something it needs did not work. Run it at least every five minutes: health that \
            nobody saw for a quarter of an hour does not count.
            """)

    @OptionGroup var options: DNSOptions
    @Option(help: "Seconds between two looks.") var interval = 5
    @Flag(help: "Look once and end.") var once = false
    @Flag(help: "A JSON object for each line.") var json = false

    func validate() throws {
        guard (1...Self.longest).contains(interval) else { throw ValidationError("--interval is 1 to 300 seconds.") }
    }

    private static let longest = 300

    /// Names, connections and nodes are all of one inventory: with another one it begins anew. What hinders it in that
    /// is told and tried again; only at its first beginning it ends.
    func run() async throws {
        try WatchState(folder: try options.options.stateDirectory()).lock()
        try await watch(try WatchedInventory(path: options.options.inventory))
        var hindrance: String?
        while !once {
            do {
                try await watch(try WatchedInventory(path: options.options.inventory))
                hindrance = nil
            } catch {
                try Task.checkCancellation()
                if hindrance != "\(error)" { try tell([.trouble("The names are left as they are: \(error)")]) }
                hindrance = "\(error)"
                try await Task.sleep(for: .seconds(interval))
            }
        }
    }

    /// For another command: what it wrote takes effect at once, or with the next look of the watch that runs here.
    static func look(_ options: DNSOptions) async throws {
        var watch = DNSWatch()
        (watch.options, watch.interval, watch.once, watch.json) = (options, longest, true, false)
        do {
            try await watch.run()
        } catch WatchStateError.locked {
            Terminal.line("The `dns watch` that runs with this state directory does it at its next look.")
        }
    }

    private func watch(_ inventory: WatchedInventory) async throws {
        try await options.withNames { names in
            try await names.context.connected { probe, monitor in
                guard let monitor else {
                    throw CommandFailure(
                        "Without the monitor nothing is withdrawn; name a file in soc.toml: monitor-token-file", code: 2
                    )
                }
                try await watch(inventory, names, monitor, probe)
            }
        }
    }

    private func watch(
        _ inventory: WatchedInventory, _ names: DNSOptions.Names, _ monitor: any FleetMonitor, _ probe: HTTPSProbe
    ) async throws {
        var watch = try NameWatch(
            names.inventory, health: MonitorHealth(monitor), probe: { await probe.answers(of: $0) },
            provider: names.provider, state: names.state, interval: once ? Self.longest : interval,
            isOutdated: { try await inventory.hasChanged() },
            now: { Int64(Date().timeIntervalSince1970 * 1_000) })
        if once {
            let events = await watch.look() ?? []
            try tell(events)
            if events.contains(where: \.isTrouble) { throw ExitCode(1) }
        } else {
            var reports = LookReports(names.context)
            try await watch.run(every: .seconds(interval), clock: ContinuousClock()) { events in
                try tell(events)
                reports.looked(events)
            }
        }
    }

    private func tell(_ events: [NameWatch.Event]) throws {
        for event in events {
            if json {
                try event.line.write()
            } else {
                for line in event.lines { Terminal.line("\(Moment.text(OperatorContext.now())) \(line.printable)") }
            }
        }
    }
}

/// Tells the monitor once a minute that the watch looks, where `job install` has made a push URL for it.
private struct LookReports {
    private static let pause = Duration.seconds(60)

    private let context: OperatorContext
    private let url: PushURL?
    private var outcome = WatchOutcome()
    private var next = ContinuousClock.now

    init(_ context: OperatorContext) {
        self.context = context
        url = try? JobFolder(context.state).url(.names)
    }

    /// Waits for nothing: that the monitor cannot be reached is a trouble of the look itself.
    mutating func looked(_ events: [NameWatch.Event]) {
        outcome.note(events)
        guard let url, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + Self.pause
        Task { [context, outcome] in try? await context.report(url, failure: outcome.failure) }
    }
}

extension NameWatch.Event {
    fileprivate var isTrouble: Bool {
        switch self {
        case .trouble, .paused: true
        case .decided, .changed, .relieved: false
        }
    }

    fileprivate var line: DNSLine {
        switch self {
        case .decided(let decision): DNSLine(decision.kind, description, node: decision.node)
        case .changed: DNSLine("changed", description)
        case .trouble, .paused: DNSLine("trouble", description)
        case .relieved: DNSLine("relieved", description)
        }
    }
}

/// For those who run their own name servers.
struct DNSGdnsd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gdnsd-config", abstract: "Print the fleet's part of gdnsd's configuration.",
        discussion: "With `provider = \"gdnsd\"` in [dns], `dns watch` writes the health file that it names.")

    @OptionGroup var options: FleetCommand.InventoryOption
    @Option(help: "A database of cities in the GeoIP2 format; gdnsd measures from the coordinates.")
    var database: String?
    @Option(help: "A file of networks and the nodes for them, instead of a database.") var networks: String?
    @Flag(help: "Print the lines for the zone's file instead.") var zone = false

    func validate() throws {
        guard zone || (database == nil) != (networks == nil) else {
            throw ValidationError("gdnsd must learn where clients are: give --database FILE or --networks FILE.")
        }
    }

    func run() throws {
        let inventory = try Inventory(toml: try options.text())
        let health = inventory.dns?.healthFile ?? "/var/lib/gdnsd/extfile/clavitor"
        let places = networks.map { GdnsdConfiguration.Places.networks($0) } ?? .database(database ?? "")
        let configuration = try GdnsdConfiguration(inventory, healthFile: health, places: places)
        for line in zone ? configuration.zoneLines : configuration.lines { Terminal.line(line) }
    }
}
