import Monitor
import Testing

/// The rules of escalation, a row each. Chat is told at once, the pager of SEV1 alone, the boss after ten minutes.
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
            testDescription: "an opening goes at once to those who asked for its severity",
            steps: [.take([one.becomes(.opened, at: 0)])], expected: [["chat opened 1"]]),
        Case(
            testDescription: "one that nobody asked for is told to nobody, and neither is its end",
            steps: [
                .take([anIncident(1, .warning, region: "europe").becomes(.opened, at: 0)]), .tick(9_999),
                .take([one.becomes(.resolved, at: 10_000, .warning)]),
            ], expected: [[], [], []]),
        Case(
            testDescription: "an incident without a region concerns every region",
            steps: [.take([anIncident(1, .warning, region: nil).becomes(.opened, at: 0)])],
            expected: [["asia-desk opened 1"]]),
        Case(
            testDescription: "the ladder is climbed after ten minutes and not before, and once",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(599), .tick(600), .tick(601)],
            expected: [["chat opened 1"], [], ["boss escalated 1"], []]),
        Case(
            testDescription: "reminders come while nobody acknowledges",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .tick(600), .tick(1_799), .tick(1_800), .tick(1_801),
                .tick(3_600),
            ],
            expected: [
                ["chat opened 1"], ["boss escalated 1"], [], ["chat reminded 1"], [], ["chat reminded 1"],
            ]),
        Case(
            testDescription: "after a long stop one reminder comes, not one for each that was missed",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(90_000), .tick(90_001)],
            expected: [["chat opened 1"], ["boss escalated 1", "chat reminded 1"], []]),
        Case(
            testDescription: "an acknowledgement ends both, and is told to those who know",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.becomes(.acknowledged, at: 100)]), .tick(9_999),
                .take([one.becomes(.resolved, at: 10_000)]),
            ],
            expected: [["chat opened 1"], ["chat acknowledged 1"], [], ["chat resolved 1"]]),
        Case(
            testDescription: "a rise is told to those who know and to those whom it concerns now",
            steps: [.take([one.becomes(.opened, at: 0)]), .take([one.becomes(.raised, at: 300, .sev1)]), .tick(600)],
            expected: [["chat opened 1"], ["chat raised 1", "pager raised 1"], ["boss escalated 1"]]),
        Case(
            testDescription: "a rise undoes the acknowledgement, and the ladder begins anew",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.becomes(.acknowledged, at: 100)]),
                .take([one.becomes(.raised, at: 2_000, .sev1)]), .tick(2_599), .tick(2_600),
            ],
            expected: [
                ["chat opened 1"], ["chat acknowledged 1"], ["chat raised 1", "pager raised 1"], [],
                ["boss escalated 1"],
            ]),
        Case(
            testDescription: "a fall is told to those who know, and the resolution to all of them",
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
            testDescription: "what is hidden is told to nobody until it is hidden no more",
            steps: [
                .take([one.hidden(by: "hub").becomes(.opened, at: 0)]), .tick(9_999),
                .take([one.becomes(.opened, at: 10_000)]), .tick(10_600),
            ],
            expected: [[], [], ["chat opened 1"], ["boss escalated 1"]]),
        Case(
            testDescription: "what was told and then hidden is silent, and its end is told",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.hidden(by: "hub").becomes(.raised, at: 5, .sev1)]),
                .tick(9_999), .take([one.hidden(by: "hub").becomes(.resolved, at: 10_000, .sev1)]),
            ],
            expected: [["chat opened 1"], [], [], ["chat resolved 1"]]),
        Case(
            testDescription: "a rise while it was hidden is told when it no longer is",
            steps: [
                .take([one.becomes(.opened, at: 0)]), .take([one.hidden(by: "hub").becomes(.raised, at: 5, .sev1)]),
                .take([one.becomes(.raised, at: 900, .sev1)]), .tick(1_499), .tick(1_500),
            ],
            expected: [["chat opened 1"], [], ["chat raised 1", "pager raised 1"], [], ["boss escalated 1"]]),
        Case(
            testDescription: "the same changes again change nothing",
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
            testDescription: "what was escalated to is told the end too",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(600), .take([one.becomes(.resolved, at: 700)])],
            expected: [["chat opened 1"], ["boss escalated 1"], ["boss resolved 1", "chat resolved 1"]]),
        Case(
            testDescription: "two routes to one channel tell it once",
            steps: [.take([one.becomes(.opened, at: 0)]), .tick(900)], expected: [["chat opened 1"], []],
            routes: [
                Route(channel: "chat", severities: [.sev2]), Route(channel: "chat", severities: [.sev2, .sev1]),
                Route(channel: "chat", severities: [.sev2], after: 600),
            ]),
        Case(
            testDescription: "kinds that are made here are taken from nobody",
            steps: [.take([one.becomes(.opened, at: 0)]), .take([one.becomes(.escalated, at: 1)])],
            expected: [["chat opened 1"], []]),
    ])
    func tells(_ example: Case) throws {
        var escalation = Escalation()
        var told: [[String]] = []
        for step in example.steps {
            // What is kept over a restart is all that there is.
            escalation = try JSONRoundTrip.of(escalation)
            switch step {
            case .take(let changes): told.append(escalation.apply(changes, routes: example.routes).map(\.description))
            case .tick(let now):
                let due = escalation.nextDue(routes: example.routes)
                let tellings = escalation.tick(now * 1_000, routes: example.routes)
                told.append(tellings.map(\.description))
                #expect(tellings.isEmpty == ((due ?? .max) > now * 1_000))
            }
        }
        #expect(told == example.expected)
    }

    @Test func theWorstStandsFirst() {
        let changes = (1...33).map { anIncident($0, node: "n\($0)").becomes(.opened, at: 0, $0 == 33 ? .sev1 : .sev2) }
        let message = Message(channel: "chat", changes: changes)
        #expect(message.total == 33)
        #expect(message.changes.first?.incident.id == 33)
        let text = MessageText(message)
        #expect(text.lines.count == 2)
        #expect(text.lines.first == "SEV1 opened: n33 is silent (no heartbeat for 65 s)")
        #expect(text.title == "33 notices: 1 SEV1 opened, 32 SEV2 opened")
    }

    /// What a node says of itself does not turn our words round, and joined emoji stay whole.
    @Test(arguments: ["\u{202E}", "\u{2066}", "\u{200F}", "\u{61C}"]) func noNodeTurnsTheDirection(_ mark: String) {
        let incident = anIncident(title: "a\(mark)b", detail: "👩‍🚒\(mark)")
        let text = MessageText(Message(channel: "c", changes: [incident.becomes(.opened, at: 0)]))
        #expect(text.title == "SEV2 opened: a\u{FFFD}b")
        #expect(text.lines == ["👩‍🚒\u{FFFD}"])
    }

    @Test func theKeyOfAMessageIsThatOfItsContent() {
        #expect(aMessage().key == aMessage().key)
        #expect(aMessage().key != aMessage("other").key)
        #expect(aMessage().key != aMessage("hook", .reminded).key)
        #expect(aMessage().key != aMessage(at: 1).key)
    }
}
