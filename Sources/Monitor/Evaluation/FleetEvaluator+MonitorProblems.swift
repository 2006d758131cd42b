/// Reports the monitor's own problems as incidents.
extension FleetEvaluator {
    /// Opens and resolves incidents for the monitor's own problems. `problems` lists all current problems of these
    /// rules; an open incident that is not among them is resolved.
    package mutating func report(
        _ problems: [MonitorProblem], by rules: Set<String>, at now: ClockReading
    ) -> [IncidentChange] {
        let present = Set(problems.map(\.key))
        let over = incidents.open.values.map(\.incident).filter { incident in
            incident.node == nil && rules.contains(incident.rule) && !present.contains(incident.key)
        }
        var changes = over.sorted { $0.id < $1.id }.flatMap { incidents.resolve($0.key, at: now.wall) }
        for problem in problems {
            let finding = IncidentRegistry.Finding(
                key: problem.key, node: nil, region: nil, rule: problem.rule, title: problem.title,
                detail: problem.detail)
            let inhibitor = silence(of: "", problem.rule, at: now)
            changes += incidents.set(problem.severity, finding, inhibitedBy: inhibitor, at: now.wall)
            changes += incidents.inhibit(problem.key, by: inhibitor, at: now.wall)
        }
        return changes
    }
}
