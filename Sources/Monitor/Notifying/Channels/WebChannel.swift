/// A channel that sends HTTP requests. Pure: messages go in, requests come out.
protocol WebChannel: Sendable {
    /// Name for errors.
    var name: String { get }
    /// Host and port for errors. Not secret.
    var host: String { get }
    /// Whether the service keeps incidents open until they are closed, so that each thread is a separate message.
    var isThreaded: Bool { get }
    /// Returns the request; nil when the service has no equivalent of the message. `at`: Time of sending, in Unix
    /// milliseconds.
    func request(of message: Message, at: Int64) -> WebRequest?
    /// Seconds to wait that the service requests in its own format.
    func retryAfter(in response: WebResponse) -> Double?
}

extension WebChannel {
    var isThreaded: Bool { false }
    func retryAfter(in response: WebResponse) -> Double? { nil }

    /// Statuses that may be caused by the message itself. Others concern gateways, missing services or credentials.
    private static var messageFaultStatuses: Set<Int> { [400, 406, 409, 411, 413, 415, 422, 431, 500, 501, 505, 507] }

    /// Throws unless the response means that the service has accepted the message.
    func checkResponse(_ response: WebResponse, to request: WebRequest, now: Int64) throws(DeliveryFailure) {
        if (200..<300).contains(response.status) { return }
        let isTemporary = response.status >= 500 || [408, 425, 429].contains(response.status)
        let said = String(decoding: response.body, as: UTF8.self).redacted(of: request.secrets)
        throw DeliveryFailure(
            isTemporary ? .temporary : .rejected,
            "\(name): \(host) answered \(response.status)" + (said.isEmpty ? "" : ": \(said)"),
            retryAfter: isTemporary ? response.retryAfter(now: now) ?? retryAfter(in: response) : nil,
            mayBeMessageFault: Self.messageFaultStatuses.contains(response.status))
    }
}

extension Message {
    /// The highest severity of its incidents.
    var severity: Severity { changes.map(\.incident.severity).max() ?? .warning }

    /// Whether it contains an alarm. A resolution or an acknowledgement pages no one.
    var isAlarm: Bool { changes.contains(where: \.kind.isAlarm) }

    var isAllClear: Bool { changes.allSatisfy { $0.kind == .resolved || $0.kind == .openedAndResolved } }

    /// Link to the dashboard: the incident's page when there is exactly one.
    func link(from dashboard: String?) -> String? {
        guard let dashboard else { return nil }
        let ids = Set(changes.map(\.incident.id))
        guard total == changes.count, ids.count == 1, let id = ids.first else { return "\(dashboard)/incidents" }
        return "\(dashboard)/incidents/\(id)"
    }
}

extension IncidentChange.Kind {
    /// Whether the change is an alarm.
    var isAlarm: Bool {
        switch self {
        case .opened, .raised, .escalated, .reminded: true
        case .lowered, .acknowledged, .inhibited, .uninhibited, .resolved, .openedAndResolved: false
        }
    }
}

extension String {
    /// Truncates to at most `limit` UTF-16 units, which is how most services count; never within a character.
    func cut(toUTF16 limit: Int) -> String { cut(limit) { $0.utf16.count } }
    func cut(toUTF8 limit: Int) -> String { cut(limit) { $0.utf8.count } }

    private func cut(_ limit: Int, _ length: (Character) -> Int) -> String {
        guard reduce(0, { $0 + length($1) }) > limit else { return self }
        let end: Character = "…"
        var remaining = limit - length(end)
        let kept = prefix { character in
            remaining -= length(character)
            return remaining >= 0
        }
        return String(kept) + String(end)
    }

    /// Disables mentions by adding a zero-width space behind each @.
    var withoutMentions: String {
        split(separator: "@", omittingEmptySubsequences: false).joined(separator: "@\u{200B}")
    }
}
