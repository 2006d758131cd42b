/// Tests a channel: sends an incident and its resolution to each recipient. Does not need a running monitor.
package struct ChannelTester: Sendable {
    private let senders: [ChannelSender]
    private let now: @Sendable () -> Int64

    /// `now`: Unix milliseconds.
    package init(_ senders: [ChannelSender], now: @escaping @Sendable () -> Int64) {
        self.senders = senders
        self.now = now
    }

    /// The result for one recipient.
    package struct Outcome: Codable, Equatable, Sendable {
        package var recipient: String
        /// Nil when the message was accepted.
        package var error: String?

        private enum CodingKeys: String, CodingKey {
            case recipient = "line"
            case error
        }
    }

    /// Runs the test; empty when there is no such channel.
    package func run(_ name: String) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for sender in senders where sender.channel == name {
            var outcome = Outcome(recipient: sender.recipient)
            do throws(DeliveryFailure) {
                for message in Message.test(of: name, at: now()) { try await sender.send(message, now()) }
            } catch {
                outcome.error = error.description
            }
            outcomes.append(outcome)
        }
        return outcomes
    }
}
