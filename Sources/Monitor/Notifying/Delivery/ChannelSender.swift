import Outbound

/// Sends messages to one recipient, by a `WebChannel` or an SMTP server.
package struct ChannelSender: Sendable {
    package let channel: String
    package let recipient: String
    package let grouping: Grouping
    /// Whether each thread is a separate message.
    let isThreaded: Bool
    /// Limit for one message, from connecting to the complete response.
    let timeout: Duration
    /// Returns when the message was accepted. The time is Unix milliseconds.
    package let send: @Sendable (Message, _ at: Int64) async throws(DeliveryFailure) -> Void

    init(
        channel: String, recipient: String, grouping: Grouping, isThreaded: Bool = false, timeout: Duration,
        send: @escaping @Sendable (Message, _ at: Int64) async throws(DeliveryFailure) -> Void
    ) {
        self.channel = channel
        self.recipient = recipient
        self.grouping = grouping
        self.isThreaded = isThreaded
        self.timeout = timeout
        self.send = send
    }

    init(
        _ channel: some WebChannel, grouping: Grouping, timeout: Duration = .seconds(10), send: @escaping WebSend
    ) {
        self.init(
            channel: channel.name, recipient: channel.name, grouping: grouping, isThreaded: channel.isThreaded,
            timeout: timeout
        ) { message, at throws(DeliveryFailure) in
            guard let request = channel.request(of: message, at: at) else { return }
            let response: WebResponse
            do {
                response = try await send(request)
            } catch {
                let reason = "\(TransportFault(error))".redacted(of: request.secrets)
                throw DeliveryFailure(.temporary, "\(channel.name): \(channel.host) cannot be reached: \(reason)")
            }
            try channel.checkResponse(response, to: request, now: at)
        }
    }
}
