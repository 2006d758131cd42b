import HTTPServing
import Hummingbird
import Wire

/// Public routes: whether the service is up, and in which regions. No names of machines and no metrics.
struct PublicRoutes: Sendable {
    let watch: Watch
    let history: StatusHistory

    init(watch: Watch) {
        self.watch = watch
        history = StatusHistory(store: watch.store)
    }

    func add(to group: RouterGroup<MonitorContext>) {
        group.get("/livez") { _, _ in Response(text: "ok\n", type: "text/plain") }
        group.get("/readyz") { _, _ in
            let healthProblems = watch.healthProblems
            return Response(
                text: healthProblems.isEmpty ? "ok\n" : healthProblems.map { "\($0)\n" }.joined(),
                status: healthProblems.isEmpty ? .ok : .serviceUnavailable, type: "text/plain")
        }
        group.get("/api/v1/status") { _, _ in
            let fleet = watch.fleet()
            return try Response(json: StatusBody(fleet, await history.minutes(at: fleet.now)))
        }
        group.get("/badge.svg") { _, _ in
            Response(text: Badge(StatusBody(watch.fleet()).state).svg, type: "image/svg+xml")
        }
    }
}

/// `GET /api/v1/status`
struct StatusBody: Codable, Equatable {
    enum State: String, Codable {
        case up, degraded, down
        /// The monitor has just started, or has no data.
        case unknown
    }

    struct Region: Codable, Equatable {
        var name: String
        var state: State
        /// Minutes with an outage on each of the last thirty days (UTC), oldest first; null for days before the region
        /// was monitored.
        var days: [Int?]?
    }

    struct Event: Codable, Equatable {
        var title: String
        var since: Int64
    }

    var state: State
    var updated: Int64
    var regions: [Region]
    var incidents: [Event]

    init(_ fleet: FleetView, _ history: [String: [Int?]] = [:]) {
        updated = fleet.now
        let nodes = fleet.nodes.filter { $0.state != .never && !$0.isJob }
        let groups = Dictionary(grouping: nodes) { $0.region ?? "Everywhere" }
        // While the monitor is isolated it knows nothing of the nodes.
        let isUnknown = fleet.incidents.contains { $0.rule == "cut-off" } || groups.isEmpty
        regions = groups.map { name, nodes in
            Region(name: name, state: isUnknown ? .unknown : Self.state(of: nodes), days: history[name])
        }.sorted { $0.name < $1.name }
        let states = Set(regions.map(\.state))
        state =
            isUnknown ? .unknown : states == [.up] ? .up : states == [.down] ? .down : .degraded
        incidents =
            isUnknown
            ? []
            : regions.filter { $0.state != .up }.map { region in
                let names = Set(groups[region.name]?.map(\.name) ?? [])
                // Only incidents that impair the region: warnings concern operators only.
                let since = fleet.incidents.filter { incident in
                    (incident.node.map(names.contains) ?? false)
                        && (incident.rule == "silent" || incident.severity == .sev1 && incident.inhibitedBy == nil)
                }.map(\.opened).min()
                return Event(
                    title: "\(region.name): \(region.state == .down ? "not reachable" : "partly impaired")",
                    since: since ?? fleet.now)
            }
    }

    private static func state(of nodes: [NodeView]) -> State {
        let bad = nodes.count { $0.state == .silent || $0.worst == .sev1 }
        return bad == 0 ? .up : bad == nodes.count ? .down : .degraded
    }
}

/// A status badge for a README or a wiki.
struct Badge {
    let state: StatusBody.State

    init(_ state: StatusBody.State) { self.state = state }

    var svg: String {
        let color =
            switch state {
            case .up: "#1a7f37"
            case .degraded: "#9a6700"
            case .down: "#cf222e"
            case .unknown: "#57606a"
            }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="132" height="20" role="img" aria-label="clavitor: \(state.rawValue)">\
            <rect width="60" height="20" fill="#24292f"/><rect x="60" width="72" height="20" fill="\(color)"/>\
            <g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">\
            <text x="30" y="14">clavitor</text><text x="96" y="14">\(state.rawValue)</text></g></svg>

            """
    }
}
