/// Tries a channel: something that opens, and its end, to each of its recipients. A running monitor is not needed.
package struct ChannelTrial: Sendable {
    private let senders: [ChannelSender]
    private let now: @Sendable () -> Int64

    /// `now`: Unix milliseconds.
    package init(_ senders: [ChannelSender], now: @escaping @Sendable () -> Int64) {
        self.senders = senders
        self.now = now
    }

    /// What became of it at one recipient.
    package struct Outcome: Codable, Equatable, Sendable {
        package var line: String
        /// Nil when it was taken.
        package var error: String?
    }

    /// Empty when there is no such channel.
    package func run(_ name: String) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for sender in senders where sender.channel == name {
            var outcome = Outcome(line: sender.line)
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
