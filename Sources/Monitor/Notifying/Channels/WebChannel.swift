/// A channel that is one kind of HTTP request. Pure: a message goes in, requests come out.
protocol WebChannel: Sendable {
    /// For errors.
    var name: String { get }
    /// With the port. For errors, and no secret.
    var host: String { get }
    /// Whether the service keeps things open and closes them, so that each thread is a message of its own.
    var isThreaded: Bool { get }
    /// `at`: When it is sent, in Unix milliseconds. Nil: the service has no word for this.
    func request(of message: Message, at: Int64) -> WebRequest?
    /// Seconds that the service asks for, where it does so in its own way.
    func patience(in answer: WebAnswer) -> Double?
}

extension WebChannel {
    var isThreaded: Bool { false }
    func patience(in answer: WebAnswer) -> Double? { nil }

    /// A gateway, a service that is not there, or one that does not know us speaks of itself.
    private static var statusesOfMessages: Set<Int> { [400, 406, 409, 411, 413, 415, 422, 431, 500, 501, 505, 507] }

    /// Whether an answer means that the service has taken the message over.
    func judge(_ answer: WebAnswer, to request: WebRequest, now: Int64) throws(DeliveryFailure) {
        if (200..<300).contains(answer.status) { return }
        let isPassing = answer.status >= 500 || [408, 425, 429].contains(answer.status)
        let said = String(decoding: answer.body, as: UTF8.self).quotable(hiding: request.secrets)
        throw DeliveryFailure(
            isPassing ? .passing : .refused,
            "\(name): \(host) answered \(answer.status)" + (said.isEmpty ? "" : ": \(said)"),
            retryAfter: isPassing ? answer.patience(now: now) ?? patience(in: answer) : nil,
            mayBeTheMessage: Self.statusesOfMessages.contains(answer.status))
    }
}

extension Message {
    /// The worst of its incidents.
    var severity: Severity { changes.map(\.incident.severity).max() ?? .warning }

    /// Whether it brings bad news: nobody is to be woken by an end or by an acknowledgement.
    var isAlarm: Bool { changes.contains(where: \.kind.isAlarm) }

    var isAllClear: Bool { changes.allSatisfy { $0.kind == .resolved || $0.kind == .passed } }

    /// Where to look: the incident's own page when there is one alone.
    func link(from dashboard: String?) -> String? {
        guard let dashboard else { return nil }
        let ids = Set(changes.map(\.incident.id))
        guard total == changes.count, ids.count == 1, let id = ids.first else { return "\(dashboard)/incidents" }
        return "\(dashboard)/incidents/\(id)"
    }
}

extension IncidentChange.Kind {
    /// Whether it is bad news.
    var isAlarm: Bool {
        switch self {
        case .opened, .raised, .escalated, .reminded: true
        case .lowered, .acknowledged, .hidden, .shown, .resolved, .passed: false
        }
    }
}

extension String {
    /// At most so many UTF-16 units, which is how most services count; never half a character.
    func cut(toUTF16 most: Int) -> String { cut(most) { $0.utf16.count } }
    func cut(toUTF8 most: Int) -> String { cut(most) { $0.utf8.count } }

    private func cut(_ most: Int, _ length: (Character) -> Int) -> String {
        guard reduce(0, { $0 + length($1) }) > most else { return self }
        let end: Character = "…"
        var room = most - length(end)
        let kept = prefix { character in
            room -= length(character)
            return room >= 0
        }
        return String(kept) + String(end)
    }

    /// With what would call somebody made harmless: an invisible space behind each @.
    var withoutMentions: String {
        split(separator: "@", omittingEmptySubsequences: false).joined(separator: "@\u{200B}")
    }
}
