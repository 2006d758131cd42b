/// A problem of the monitor itself, such as a full disk or a broken channel.
package struct MonitorProblem: Equatable, Sendable {
    /// Part of incident keys and silences.
    package var rule: String
    /// The affected object, such as a channel.
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
