import HTTPServing
import Hummingbird
import Wire

/// Routes for the fleet, its nodes and their history.
struct FleetRoutes: Sendable {
    let watch: Watch
    let check: SelfCheck

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/fleet") { _, _ in
            var fleet = watch.fleet()
            fleet.healthProblems = await check.healthProblems()
            return try Response(json: fleet)
        }
        group.get("/nodes/:name") { _, context in
            let node = try node(context)
            return try Response(
                json: NodePageBody(
                    node: node, incidents: try await watch.store.incidents(of: node.name, before: nil, limit: 50)))
        }
        group.get("/nodes/:name/history") { request, context in
            let node = try node(context)
            guard let days = Int(request.uri.queryParameters.get("days") ?? "1"), (1...366).contains(days) else {
                throw Problem.malformed("days must be an integer from 1 to 366.")
            }
            let history = try await watch.store.history(of: node.name, days: days, now: watch.dependencies.now().wall)
            return try Response(json: HistoryBody(history))
        }
    }

    private func node(_ context: OperatorContext) throws -> NodeView {
        guard let name = context.parameters.get("name"), let node = watch.node(name) else {
            throw Problem.noSuch("node")
        }
        return node
    }
}

struct NodePageBody: Encodable {
    var node: NodeView
    var incidents: [Incident]
}

/// One array for each metric, all of the same length: `step` milliseconds apart, null for gaps.
struct HistoryBody: Encodable {
    var from: Int64
    var step: Int64
    var beats: [Int?]
    var series: [String: [Double?]] = [:]

    init(_ history: MonitorStore.History) {
        from = history.from
        step = history.step
        beats = history.points.map { $0?.beats }
        for metric in Metric.allCases {
            series[metric.name] = history.points.map { point in
                point?.metrics[metric].map { ($0 * 100).rounded() / 100 }
            }
        }
    }
}
