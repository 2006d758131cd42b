/// Something that is wrong with the monitor itself.
package struct OwnProblem: Equatable, Sendable {
    /// Stands in incident keys and silences.
    package var rule: String
    /// Of what is wrong.
    package var name: String
    package var severity: Severity
    package var title: String
    package var detail: String

    package init(rule: String, name: String, severity: Severity, title: String, detail: String) {
        self.rule = rule
        self.name = name
        self.severity = severity
        self.title = title
        self.detail = detail
    }

    static let channel = "channel"
    static let disk = "own-disk"
    static let file = "own-file"
    static let certificate = "own-certificate"
    static let rules = [channel, disk, file, certificate]

    var key: String { "monitor/\(rule)/\(name)" }
}

/// The monitor's own troubles are incidents like any other.
extension FleetJudge {
    /// `problems`: All that there are now by these rules. What was there and is not among them is over.
    package mutating func report(
        _ problems: [OwnProblem], by rules: Set<String>, at now: Moment
    ) -> [IncidentChange] {
        let present = Set(problems.map(\.key))
        let over = book.open.values.map(\.incident).filter { incident in
            incident.node == nil && rules.contains(incident.rule) && !present.contains(incident.key)
        }
        var changes = over.sorted { $0.id < $1.id }.flatMap { book.resolve($0.key, at: now.wall) }
        for problem in problems {
            let finding = IncidentBook.Finding(
                key: problem.key, node: nil, region: nil, rule: problem.rule, title: problem.title,
                detail: problem.detail)
            let hider = silence(of: "", problem.rule, at: now)
            changes += book.set(problem.severity, finding, hiddenBy: hider, at: now.wall)
            changes += book.hide(problem.key, behind: hider, at: now.wall)
        }
        return changes
    }
}
