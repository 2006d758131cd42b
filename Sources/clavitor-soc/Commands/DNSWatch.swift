import ArgumentParser
import Console
import Fleet
import FoundationEssentials

/// Evaluates the health of the fleet every few seconds, from the monitor and from this machine.
struct DNSWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Withdraw unhealthy nodes from the nearest name, and restore healthy ones.",
        discussion: """
            A node is withdrawn when the monitor has missed two of its heartbeats and its /readyz fails from this machine too. \
            It is restored after two minutes of health, longer after each relapse. At least `floor` nodes of [dns] stay, and at \
            least half. While the monitor cannot be queried, or most nodes fall silent at once, nothing is changed. Nodes' own \
            names are never changed. A changed inventory takes effect at the next evaluation.

            With --once it exits with 1 if a dependency fails. Run it at least every five minutes: health that was not observed \
            for a quarter of an hour does not count.
            """)

    @OptionGroup var options: DNSOptions
    @Option(help: "Seconds between two evaluations.") var interval = 5
    @Flag(help: "Evaluate once and exit.") var once = false
    @Flag(help: "Print one JSON object per line.") var json = false

    func validate() throws {
        guard (1...Self.maximumInterval).contains(interval) else {
            throw ValidationError("--interval must be 1 to 300 seconds.")
        }
    }

    private static let maximumInterval = 300

    /// Runs a watch per inventory, because names, connections and nodes must belong together. Errors with a changed inventory
    /// are reported and retried; only errors at the start end the command.
    func run() async throws {
        try WatchState(folder: try options.options.stateDirectory()).lock()
        try await watch(try WatchedInventory(path: options.options.inventory))
        var lastError: String?
        while !once {
            do {
                try await watch(try WatchedInventory(path: options.options.inventory))
                lastError = nil
            } catch {
                try Task.checkCancellation()
                if lastError != "\(error)" { try report([.problem("The names are not updated: \(error)")]) }
                lastError = "\(error)"
                try await Task.sleep(for: .seconds(interval))
            }
        }
    }

    /// Evaluates once after another command changed the state, unless a watch runs with this state directory.
    static func runOnce(_ options: DNSOptions) async throws {
        var watch = DNSWatch()
        (watch.options, watch.interval, watch.once, watch.json) = (options, maximumInterval, true, false)
        do {
            try await watch.run()
        } catch WatchStateError.locked {
            Terminal.line("The `dns watch` with this state directory applies it at its next evaluation.")
        }
    }

    private func watch(_ inventory: WatchedInventory) async throws {
        try await options.withProvider { names in
            try await names.context.connected { probe, monitor in
                guard let monitor else {
                    throw CommandFailure(
                        "The watch requires the monitor; set monitor-token-file in soc.toml.", code: 2
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
            names.inventory, health: MonitorHealth(monitor), probe: { await probe.results(of: $0) },
            provider: names.provider, state: names.state, interval: once ? Self.maximumInterval : interval,
            isOutdated: { try await inventory.hasChanged() },
            now: { Int64(Date().timeIntervalSince1970 * 1_000) })
        if once {
            let events = await watch.tick() ?? []
            try report(events)
            if events.contains(where: \.isProblem) { throw ExitCode(1) }
        } else {
            var reporter = WatchReporter(names.context)
            try await watch.run(every: .seconds(interval), clock: ContinuousClock()) { events in
                try report(events)
                reporter.didEvaluate(events)
            }
        }
    }

    private func report(_ events: [NameWatch.Event]) throws {
        for event in events {
            if json {
                try event.line.write()
            } else {
                for line in event.lines { Terminal.line("\(Timestamp.text(OperatorContext.now())) \(line.printable)") }
            }
        }
    }
}

/// Reports the running watch to the monitor once a minute, if `job install` has made a push URL for it.
private struct WatchReporter {
    private static let interval = Duration.seconds(60)

    private let context: OperatorContext
    private let url: PushURL?
    private var outcome = WatchOutcome()
    private var next = ContinuousClock.now

    init(_ context: OperatorContext) {
        self.context = context
        url = try? JobURLStore(context.state).url(.names)
    }

    /// Does not wait, and ignores errors: an unreachable monitor is reported by the watch itself.
    mutating func didEvaluate(_ events: [NameWatch.Event]) {
        outcome.update(with: events)
        guard let url, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + Self.interval
        Task { [context, outcome] in try? await context.report(url, failure: outcome.failure) }
    }
}

extension NameWatch.Event {
    fileprivate var isProblem: Bool {
        switch self {
        case .problem, .paused: true
        case .decided, .changed, .recovered: false
        }
    }

    fileprivate var line: DNSLine {
        switch self {
        case .decided(let decision): DNSLine(decision.kind, description, node: decision.node)
        case .changed: DNSLine("changed", description)
        case .problem, .paused: DNSLine("trouble", description)
        case .recovered: DNSLine("relieved", description)
        }
    }
}

/// Prints gdnsd's configuration, for operators with their own name servers.
struct DNSGdnsd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gdnsd-config", abstract: "Print the fleet's part of gdnsd's configuration.",
        discussion: "With `provider = \"gdnsd\"` in [dns], `dns watch` writes the health file that it names.")

    @OptionGroup var options: FleetCommand.InventoryOption
    @Option(help: "City database in GeoIP2 format; gdnsd computes distances from the coordinates.")
    var database: String?
    @Option(help: "File of networks and their nodes, instead of a database.") var networks: String?
    @Flag(help: "Print the lines for the zone file instead.") var zone = false

    func validate() throws {
        guard zone || (database == nil) != (networks == nil) else {
            throw ValidationError("gdnsd needs the locations of clients: use --database FILE or --networks FILE.")
        }
    }

    func run() throws {
        let inventory = try Inventory(toml: try options.text())
        let health = inventory.dns?.healthFile ?? "/var/lib/gdnsd/extfile/clavitor"
        let locations = networks.map { GdnsdConfiguration.ClientLocations.networks($0) } ?? .database(database ?? "")
        let configuration = try GdnsdConfiguration(inventory, healthFile: health, locations: locations)
        for line in zone ? configuration.zoneLines : configuration.lines { Terminal.line(line) }
    }
}
