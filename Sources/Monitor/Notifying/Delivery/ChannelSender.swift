import Outbound

/// Takes messages to one line. What is behind it is a `WebChannel` or an SMTP server.
package struct ChannelSender: Sendable {
    package let channel: String
    package let line: String
    package let grouping: Grouping
    /// Whether each thread is a message of its own.
    let isThreaded: Bool
    /// For one message, from connecting to the whole answer.
    let patience: Duration
    /// Returns when the message was taken over. The time is Unix milliseconds.
    package let send: @Sendable (Message, _ at: Int64) async throws(DeliveryFailure) -> Void

    init(
        channel: String, line: String, grouping: Grouping, isThreaded: Bool = false, patience: Duration,
        send: @escaping @Sendable (Message, _ at: Int64) async throws(DeliveryFailure) -> Void
    ) {
        self.channel = channel
        self.line = line
        self.grouping = grouping
        self.isThreaded = isThreaded
        self.patience = patience
        self.send = send
    }

    init(
        _ channel: some WebChannel, grouping: Grouping, patience: Duration = .seconds(10), send: @escaping WebSend
    ) {
        self.init(
            channel: channel.name, line: channel.name, grouping: grouping, isThreaded: channel.isThreaded,
            patience: patience
        ) { message, at throws(DeliveryFailure) in
            guard let request = channel.request(of: message, at: at) else { return }
            let answer: WebAnswer
            do {
                answer = try await send(request)
            } catch {
                let reason = "\(TransportFault(error))".quotable(hiding: request.secrets)
                throw DeliveryFailure(.passing, "\(channel.name): \(channel.host) cannot be reached: \(reason)")
            }
            try channel.judge(answer, to: request, now: at)
        }
    }
}
