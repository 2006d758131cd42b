import HTTPServing
import Hummingbird
import Wire

/// Routes for incidents, silences, maintenance windows and plans.
struct IncidentRoutes: Sendable {
    let watch: Watch
    /// Longest duration of a silence or maintenance window, in minutes.
    private static let longest = 30 * 24 * 60

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/incidents") { request, _ in
            let before = request.uri.queryParameters.get("before").flatMap { Int64($0) }
            return try Response(
                json: IncidentsBody(incidents: try await watch.store.incidents(before: before, limit: 50)))
        }
        group.get("/incidents/:id") { _, context in
            guard let (incident, timeline) = try await watch.store.incident(try context.id()) else {
                throw Problem.noSuch("incident")
            }
            return try Response(json: IncidentBody(incident: incident, timeline: timeline))
        }
        group.post("/incidents/:id/acknowledge") { request, context in
            let body: AcknowledgeBody = try await request.json(in: context)
            try await watch.acknowledge(
                try context.id(), by: context.name, note: body.note.map { String($0.prefix(1_000)) })
            return Response.noContent
        }
        group.post("/incidents/:id/accept") { _, context in
            try await watch.accept(try context.id())
            return Response.noContent
        }
        group.post("/silences") { request, context in
            let body: SilenceBody = try await request.json(in: context)
            if let node = body.node, watch.node(node) == nil {
                throw Problem.malformed("There is no node \(node.prefix(64)).")
            }
            guard body.rule.map(Rule.names.contains) ?? true else {
                throw Problem.malformed("There is no such rule. The rules are: \(Rule.names.joined(separator: ", ")).")
            }
            let silence = try await watch.silence(
                node: body.node, rule: body.rule, by: context.name, reason: try reason(body.reason),
                for: try duration(body.minutes))
            return try Response(json: silence, status: .created)
        }
        group.delete("/silences/:id") { _, context in
            try await watch.endSilence(try context.id())
            return Response.noContent
        }
        group.post("/maintenance") { request, context in
            let body: MaintenanceBody = try await request.json(in: context)
            try requireKnown(body.nodes)
            let window = try await watch.beginMaintenance(
                nodes: body.nodes, by: context.name, reason: try reason(body.reason), for: try duration(body.minutes))
            return try Response(json: window, status: .created)
        }
        group.delete("/maintenance/:id") { _, context in
            try await watch.endMaintenance(try context.id())
            return Response.noContent
        }
        group.post("/plans") { request, context in
            let body: PlanBody = try await request.json(in: context)
            try requireKnown(body.nodes)
            let plan = MaintenancePlan(
                id: 0, nodes: body.nodes, by: context.name, reason: try reason(body.reason), start: body.start,
                zone: body.zone, isWeekly: body.isWeekly ?? false, duration: try duration(body.minutes))
            do {
                return try Response(json: try await watch.add(plan), status: .created)
            } catch let error as Watch.PlanError {
                throw Problem.malformed(error.description)
            } catch let error as UnknownTimeZone {
                throw Problem.malformed(error.description)
            }
        }
        group.delete("/plans/:id") { _, context in
            try await watch.removePlan(try context.id())
            return Response.noContent
        }
    }

    private func requireKnown(_ nodes: [String]) throws {
        guard let unknown = nodes.first(where: { watch.node($0) == nil }) else { return }
        throw Problem.malformed("There is no node \(unknown.prefix(64)).")
    }

    /// Converts minutes to milliseconds.
    private func duration(_ minutes: Int) throws -> Int64 {
        guard (1...Self.longest).contains(minutes) else {
            throw Problem.malformed("minutes must be an integer from 1 to \(Self.longest).")
        }
        return Int64(minutes) * 60_000
    }

    private func reason(_ text: String) throws -> String {
        guard (1...500).contains(text.count) else { throw Problem.malformed("reason must have 1 to 500 characters.") }
        return text
    }
}

struct IncidentsBody: Encodable {
    var incidents: [Incident]
}

struct IncidentBody: Encodable {
    var incident: Incident
    var timeline: [MonitorStore.TimelineLine]
}

struct AcknowledgeBody: Decodable {
    var note: String?
}

struct SilenceBody: Decodable {
    var node: String?
    var rule: String?
    var reason: String
    var minutes: Int
}

struct PlanBody: Decodable {
    /// Empty for all.
    var nodes: [String]
    var reason: String
    var minutes: Int
    var start: String
    var zone: String
    var isWeekly: Bool?
}

struct MaintenanceBody: Decodable {
    /// Empty for all.
    var nodes: [String]
    var reason: String
    var minutes: Int
}
