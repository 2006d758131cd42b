/// Takes messages to one channel, piece by piece. What is behind it is a `WebChannel` or an SMTP server.
package struct Courier: Sendable {
    package let channel: String
    /// For one piece, from connecting to the whole answer.
    let patience: Duration
    package let pieces: @Sendable (Message) -> Int
    /// Returns when the piece was taken over. The time is Unix milliseconds.
    package let send: @Sendable (_ piece: Int, Message, _ at: Int64) async throws(DeliveryFailure) -> Void

    init(
        channel: String, patience: Duration, pieces: @escaping @Sendable (Message) -> Int = { _ in 1 },
        send: @escaping @Sendable (_ piece: Int, Message, _ at: Int64) async throws(DeliveryFailure) -> Void
    ) {
        self.channel = channel
        self.patience = patience
        self.pieces = pieces
        self.send = send
    }

    init(_ channel: some WebChannel, patience: Duration = .seconds(10), send: @escaping WebSend) {
        self.init(channel: channel.name, patience: patience, pieces: channel.pieces) {
            piece, message, at throws(DeliveryFailure) in
            let request = channel.request(piece, of: message, at: at)
            let answer: WebAnswer
            do {
                answer = try await send(request)
            } catch {
                let reason = "\(error)".quotable(hiding: request.secrets)
                throw DeliveryFailure(.passing, "\(channel.name): \(channel.host) cannot be reached: \(reason)")
            }
            try channel.judge(answer, to: request, now: at)
        }
    }
}
