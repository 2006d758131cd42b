/// The text of a message, the same in every channel: a one-line title, and one line per cause. Bounded in length.
package struct MessageText: Equatable, Sendable {
    /// Maximum number of lines; the rest is counted.
    package static let maxLines = 20
    /// Maximum characters for the node names of one cause: about a hundred names.
    private static let maxNames = 2_400

    package let title: String
    /// Only the detail when there is one change.
    package let lines: [String]

    package init(_ message: Message) {
        if message.total == 1, let change = message.changes.first {
            title = "\(change.heading): \(Self.line(change.incident.title, limit: 200))"
            let detail = Self.line(change.incident.detail, limit: 1_000)
            lines = [change.remark ?? "", detail].filter { !$0.isEmpty }
            return
        }
        let groups = Self.groups(message.changes)
        let named = groups.prefix(Self.maxLines)
        let rest = message.total - named.reduce(0) { $0 + $1.count }
        let common = groups.count == 1 && rest == 0 ? groups.first.flatMap(Self.title) : nil
        title = common ?? "\(message.total) notices: \(Self.counts(message))"
        lines = named.map(Self.line) + (rest > 0 ? ["and \(rest) more"] : [])
    }

    /// Groups changes of several nodes by cause.
    private static func groups(_ changes: [IncidentChange]) -> [[IncidentChange]] {
        var order: [String] = []
        var groups: [String: [IncidentChange]] = [:]
        for change in changes {
            let name = change.incident.node == nil ? change.incident.key : change.incident.cause
            let group = "\(change.heading) \(name)"
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(change)
        }
        return order.compactMap { groups[$0] }
    }

    /// Title such as "SEV2 opened: 40 nodes in asia (silent)".
    private static func title(_ group: [IncidentChange]) -> String? {
        guard group.count > 1, let first = group.first else { return nil }
        let place = first.incident.region.map { " in \($0)" } ?? ""
        return line("\(first.heading): \(group.count) nodes\(place) (\(first.incident.rule))", limit: 200)
    }

    private static func line(_ group: [IncidentChange]) -> String {
        guard let first = group.first else { return "" }
        guard group.count > 1 else {
            let detail = first.remark ?? first.incident.detail
            let text = "\(first.heading): \(first.incident.title)" + (detail.isEmpty ? "" : " (\(detail))")
            return line(text, limit: 300)
        }
        let place = first.incident.region.map { ", \($0)" } ?? ""
        var text = "\(first.heading): \(first.incident.rule)\(place): "
        for (index, change) in group.enumerated() {
            let name = line(change.incident.node ?? change.incident.title, limit: 100)
            guard text.count + name.count < maxNames else {
                return text + "and \(group.count - index) more"
            }
            text += name + (index + 1 < group.count ? ", " : "")
        }
        return text
    }

    package var text: String { ([title] + lines).joined(separator: "\n") }

    /// Counts such as "2 SEV1 opened, 1 SEV2 resolved", of the changes that the message carries.
    private static func counts(_ message: Message) -> String {
        var order: [String] = []
        var counts: [String: Int] = [:]
        for heading in message.changes.map(\.heading) {
            if counts[heading] == nil { order.append(heading) }
            counts[heading, default: 0] += 1
        }
        let rest = message.total - message.changes.count
        return (order.map { "\(counts[$0] ?? 0) \($0)" } + (rest > 0 ? ["\(rest) more"] : [])).joined(separator: ", ")
    }

    /// Reduces text to one line without control characters, which could inject a header, and without bidirectional
    /// controls: a node's text must not rearrange the rest.
    static func line(_ text: String, limit: Int) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: UnicodeScalar(" ")
            case .format where scalar.properties.isBidiControl: UnicodeScalar("\u{FFFD}")
            default: scalar
            }
        }
        let line = String(String.UnicodeScalarView(scalars))
        return line.count <= limit ? line : String(line.prefix(limit - 1)) + "…"
    }
}

extension IncidentChange {
    /// Heading such as "SEV1 opened".
    var heading: String {
        let verb =
            switch kind {
            case .opened: "opened"
            case .raised: "raised"
            case .lowered: "lowered"
            case .acknowledged: "acknowledged"
            case .inhibited: "inhibited"
            case .uninhibited: "no longer inhibited"
            case .resolved: "resolved"
            case .escalated: "escalated"
            case .reminded: "still open"
            case .openedAndResolved: "opened and resolved"
            }
        return "\(incident.severity.heading) \(verb)"
    }

    /// Remark on the kind of the change, before any detail.
    fileprivate var remark: String? {
        switch kind {
        case .acknowledged:
            incident.acknowledged.map { acknowledgement in
                let note = acknowledgement.note.map { ": \($0)" } ?? ""
                return MessageText.line("acknowledged by \(acknowledgement.by)\(note)", limit: 300)
            }
        case .resolved, .openedAndResolved:
            "after \(Self.duration(at - incident.opened))" + (incident.ending.map { ": \($0)" } ?? "")
        case .escalated: "open for \(Self.duration(at - incident.opened)), not acknowledged"
        case .reminded: "open for \(Self.duration(at - incident.opened))"
        case .opened, .raised, .lowered, .inhibited, .uninhibited: nil
        }
    }

    /// Formats a duration such as "3 d 2 h", "2 h 5 min", "12 min" or "40 s".
    static func duration(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1_000)
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
        return if days > 0 {
            "\(days) d \(hours) h"
        } else if hours > 0 {
            "\(hours) h \(minutes) min"
        } else if minutes > 0 {
            "\(minutes) min"
        } else {
            "\(seconds) s"
        }
    }
}

extension Severity {
    var heading: String {
        switch self {
        case .warning: "Warning"
        case .sev2: "SEV2"
        case .sev1: "SEV1"
        }
    }
}
