/// A detected problem, from its first detection to its resolution. Times are Unix milliseconds.
package struct Incident: Codable, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Node and rule, such as `tokyo/silent`. Unique among open incidents.
    package var key: String
    /// Nil when it concerns the fleet or the monitor itself.
    package var node: String?
    package var region: String?
    package var rule: String
    package var severity: Severity
    /// One line, such as "tokyo is silent".
    package var title: String
    /// Details with values.
    package var detail: String
    package var opened: Int64
    package var resolved: Int64?
    /// Why it was resolved, when the condition did not clear by itself.
    package var ending: String?
    package var acknowledged: Acknowledgement?
    /// Key of the incident, silence or maintenance window that inhibits this one: it is shown below it and not
    /// notified.
    package var inhibitedBy: String?

    package struct Acknowledgement: Codable, Equatable, Sendable {
        package var by: String
        package var at: Int64
        package var note: String?

        package init(by: String, at: Int64, note: String? = nil) {
            self.by = by
            self.at = at
            self.note = note
        }
    }

    package init(
        id: Int64, key: String, node: String?, region: String?, rule: String, severity: Severity, title: String,
        detail: String, opened: Int64
    ) {
        self.id = id
        self.key = key
        self.node = node
        self.region = region
        self.rule = rule
        self.severity = severity
        self.title = title
        self.detail = detail
        self.opened = opened
    }
}
