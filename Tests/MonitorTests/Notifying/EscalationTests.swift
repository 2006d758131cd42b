import Monitor
import Testing

/// The rules of escalation, one case each. Chat is notified at once, the pager of SEV1 only, the boss after ten
/// minutes.
@Suite struct EscalationTests {
    static let routes = [
        Route(channel: "chat", severities: [.sev2, .sev1], resend: 1_800),
        Route(channel: "pager", severities: [.sev1]),
        Route(channel: "boss", severities: [.sev2, .sev1], after: 600),
        Route(channel: "asia-desk", severities: [.warning], regions: ["asia"]),
    ]

    enum Step: Sendable {
        case take([IncidentChange])
        case tick(Int64)
    }

    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let steps: [Step]
        let expected: [[String]]
        var routes = EscalationTests.routes
    }

    static let one = anIncident()

    @Test(arguments: [
        Case(
            testDescription: "an opening is sent at once to matching routes",
            steps: [.take([one.becomes(.opened, at: 0)])], expected: [["chat opened 1"]]),
        Case(
            testDescription: "an unmatched incident and its resolution are not sent",
            steps: [
                .take([anIncident(1, .warning, region: "europe").becomes(.opened, at: 0)]), .tick(9_999),
                .take([one.becomes(.resolved, at: 10_000, .warning)]),
            ], expected: [[], [], []]),
        Case(
            testDescription: "an incident without a region concerns every region",
            steps: [.take([anIncident(1, .warning, region: nil).becomes(.opened, at: 0)])],
            expected: [["asia-desk opened 1"]]),
        Case(
            testDescription: "escalation happens once, after ten minutes",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(599), .tick(600), .tick(601)],
            expected: [["chat opened 1"], [], ["boss escalated 1"], []]),
        Case(
            testDescription: "reminders are sent until an acknowledgement",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .tick(600), .tick(1_799), .tick(1_800), .tick(1_801),
                .tick(3_600),
            ],
            expected: [
                ["chat opened 1"], ["boss escalated 1"], [], ["chat reminded 1"], [], ["chat reminded 1"],
            ]),
        Case(
            testDescription: "after a long stop only one reminder is sent",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(90_000), .tick(90_001)],
            expected: [["chat opened 1"], ["boss escalated 1", "chat reminded 1"], []]),
        Case(
            testDescription: "an acknowledgement ends escalation and reminders, and is sent to notified channels",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.becomes(.acknowledged, at: 100)]), .tick(9_999),
                .take([one.becomes(.resolved, at: 10_000)]),
            ],
            expected: [["chat opened 1"], ["chat acknowledged 1"], [], ["chat resolved 1"]]),
        Case(
            testDescription: "a rise is sent to notified channels and newly matching ones",
            steps: [.take([one.becomes(.opened, at: 0)]), .take([one.becomes(.raised, at: 300, .sev1)]), .tick(600)],
            expected: [["chat opened 1"], ["chat raised 1", "pager raised 1"], ["boss escalated 1"]]),
        Case(
            testDescription: "a rise clears the acknowledgement and restarts escalation",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.becomes(.acknowledged, at: 100)]),
                .take([one.becomes(.raised, at: 2_000, .sev1)]), .tick(2_599), .tick(2_600),
            ],
            expected: [
                ["chat opened 1"], ["chat acknowledged 1"], ["chat raised 1", "pager raised 1"], [],
                ["boss escalated 1"],
            ]),
        Case(
            testDescription: "a lower severity and the resolution are sent to notified channels",
            steps: [
                .take([one.becomes(.opened, at: 0, .sev1)]), .take([one.becomes(.lowered, at: 50, .sev2)]),
                .take([one.becomes(.resolved, at: 60)]),
            ],
            expected: [
                ["chat opened 1", "pager opened 1"], ["chat lowered 1", "pager lowered 1"],
                ["chat resolved 1", "pager resolved 1"],
            ]),
        Case(
            testDescription: "a route for SEV1 counts from the rise to it",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.becomes(.raised, at: 300, .sev1)]), .tick(899),
                .tick(900),
            ],
            expected: [[], [], [], ["second escalated 1"]],
            routes: [Route(channel: "second", severities: [.sev1], after: 600)]),
        Case(
            testDescription: "an inhibited incident is not sent until the inhibition ends",
            steps: [
                .take([one.inhibited(by: "hub").becomes(.opened, at: 0)]), .tick(9_999),
                .take([one.becomes(.opened, at: 10_000)]), .tick(10_600),
            ],
            expected: [[], [], ["chat opened 1"], ["boss escalated 1"]]),
        Case(
            testDescription: "a notified and then inhibited incident is silent, and its resolution is sent",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.inhibited(by: "hub").becomes(.raised, at: 5, .sev1)]),
                .tick(9_999), .take([one.inhibited(by: "hub").becomes(.resolved, at: 10_000, .sev1)]),
            ],
            expected: [["chat opened 1"], [], [], ["chat resolved 1"]]),
        Case(
            testDescription: "a rise during an inhibition is sent when it ends",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.inhibited(by: "hub").becomes(.raised, at: 5, .sev1)]),
                .take([one.becomes(.raised, at: 900, .sev1)]), .tick(1_499), .tick(1_500),
            ],
            expected: [["chat opened 1"], [], ["chat raised 1", "pager raised 1"], [], ["boss escalated 1"]]),
        Case(
            testDescription: "repeated changes have no effect",
            steps: [
                .take([one.becomes(.opened, at: 0), one.becomes(.raised, at: 5, .sev1)]),
                .take([one.becomes(.opened, at: 0), one.becomes(.raised, at: 5, .sev1)]),
                .take([one.becomes(.acknowledged, at: 9, .sev1)]), .take([one.becomes(.acknowledged, at: 9, .sev1)]),
                .take([one.becomes(.resolved, at: 10, .sev1)]), .take([one.becomes(.resolved, at: 10, .sev1)]),
            ],
            expected: [
                ["chat opened 1", "chat raised 1", "pager raised 1"], [],
                ["chat acknowledged 1", "pager acknowledged 1"], [], ["chat resolved 1", "pager resolved 1"], [],
            ]),
        Case(
            testDescription: "escalated channels receive the resolution too",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(600), .take([one.becomes(.resolved, at: 700)])],
            expected: [["chat opened 1"], ["boss escalated 1"], ["boss resolved 1", "chat resolved 1"]]),
        Case(
            testDescription: "two routes to one channel notify it once",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(900)], expected: [["chat opened 1"], []],
            routes: [
                Route(channel: "chat", severities: [.sev2]), Route(channel: "chat", severities: [.sev2, .sev1]),
                Route(channel: "chat", severities: [.sev2], after: 600),
            ]),
        Case(
            testDescription: "generated kinds are ignored as input",
            steps: [.take([one.becomes(.opened, at: 0)]), .take([one.becomes(.escalated, at: 1)])],
            expected: [["chat opened 1"], []]),
    ])
    func theRulesOfEscalationHold(_ example: Case) throws {
        var escalation = Escalation()
        var notified: [[String]] = []
        for step in example.steps {
            // Only stored state survives a restart.
            escalation = try JSONRoundTrip.of(escalation)
            switch step {
            case .take(let changes):
                notified.append(escalation.apply(changes, routes: example.routes).map(\.description))
            case .tick(let now):
                let due = escalation.nextDue(routes: example.routes)
                let notifications = escalation.tick(now * 1_000, routes: example.routes)
                notified.append(notifications.map(\.description))
                #expect(notifications.isEmpty == ((due ?? .max) > now * 1_000))
            }
        }
        #expect(notified == example.expected)
    }

    @Test func theHighestSeverityComesFirst() {
        let changes = (1...33).map { anIncident($0, node: "n\($0)").becomes(.opened, at: 0, $0 == 33 ? .sev1 : .sev2) }
        let message = Message(channel: "chat", changes: changes)
        #expect(message.total == 33)
        #expect(message.changes.first?.incident.id == 33)
        let text = MessageText(message)
        #expect(text.lines.count == 2)
        #expect(text.lines.first == "SEV1 opened: n33 is silent (no heartbeat for 65 s)")
        #expect(text.title == "33 notices: 1 SEV1 opened, 32 SEV2 opened")
    }

    /// Text of a node cannot reorder ours, and joined emoji stay whole.
    @Test(arguments: ["\u{202E}", "\u{2066}", "\u{200F}", "\u{61C}"]) func nodeTextCannotChangeTheWritingDirection(
        _ mark: String
    ) {
        let incident = anIncident(title: "a\(mark)b", detail: "👩‍🚒\(mark)")
        let text = MessageText(Message(channel: "c", changes: [incident.becomes(.opened, at: 0)]))
        #expect(text.title == "SEV2 opened: a\u{FFFD}b")
        #expect(text.lines == ["👩‍🚒\u{FFFD}"])
    }

    @Test func theKeyOfAMessageDependsOnItsContent() {
        #expect(aMessage().key == aMessage().key)
        #expect(aMessage().key != aMessage("other").key)
        #expect(aMessage().key != aMessage("hook", .reminded).key)
        #expect(aMessage().key != aMessage(at: 1).key)
    }
}
