import ArgumentParser
import Console
import Fleet
import Wire

/// Prints the state of the fleet in one table.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Print the state of the fleet as reported by the monitor and the nodes.",
        discussion: "Exits with 1 if the fleet is unhealthy.")

    @OptionGroup var options: OperatorOptions
    @Argument(help: "Nodes. (default: all)") var nodes: [String] = []
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let context = try OperatorContext(options)
        let asked = try context.nodes(nodes)
        async let absences = Self.absences(context)
        var status = try await context.connected { _, monitor in
            await FleetStatus.gather(asked, try context.ssh, context.paths, monitor: monitor)
        }
        status.names = await absences
        if context.settings.monitorTokenFile == nil {
            Terminal.note("The monitor was not queried: soc.toml has no monitor-token-file.")
        }
        if json { try Terminal.json(status) } else { Terminal.line(Self.text(status)) }
        if !status.isHealthy { throw ExitCode(1) }
    }

    /// Queries the DNS provider with a timeout.
    static func absences(_ context: OperatorContext) async -> [String] {
        guard let dns = context.inventory.dns else { return [] }
        return await withTaskGroup(of: [String].self) { group in
            group.addTask {
                do {
                    return try await dns.withProvider(of: context.inventory, now: OperatorContext.now) { provider in
                        let state = WatchState(folder: context.state)
                        return try await DNSOptions.Names(context: context, provider: provider, state: state)
                            .absences()
                    }
                } catch {
                    return ["The members of the nearest name are unknown: \(error)"]
                }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(4))
                return ["The members of the nearest name are unknown: the DNS provider did not respond within 4 s."]
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }

    static func text(_ status: FleetStatus) -> String {
        var table = Table(
            "node", "region", "monitor", "beat", "unit", "gen", "version", "req/h", "5xx/h", "ram", "disk", "cert",
            "system", "nixpkgs")
        for row in status.rows {
            let body = row.body
            table.add(
                row.node, row.region, row.state ?? "-", row.beatAge.map { Timestamp.age(milliseconds: $0) } ?? "-",
                row.unit ?? "-",
                row.generation.map { "\($0)" } ?? "-", body?.version ?? "-", body.map { "\($0.req1h)" } ?? "-",
                body?.err5xx1h.map { "\($0)" } ?? "-", (body?.ramPct).map { "\(Int($0)) %" } ?? "-",
                (body?.diskPct).map { "\(Int($0)) %" } ?? "-", body?.certDaysRemaining.map { "\(Int($0)) d" } ?? "-",
                row.system.map(shortened) ?? "-", row.revision.map { String($0.prefix(12)) } ?? "-")
        }
        var lines = [table.text] + status.rows.compactMap { $0.trouble?.printable }
        lines += (status.monitorTroubles + status.names).map(\.printable)
        for incident in status.incidents {
            lines.append("\(incident.severity.uppercased())  \(incident.title)".printable)
        }
        return lines.joined(separator: "\n")
    }

    /// The first eight letters of a store path's hash, which are enough to distinguish systems.
    private static func shortened(_ path: String) -> String {
        String((path.split(separator: "/").last ?? "").prefix(8))
    }
}
