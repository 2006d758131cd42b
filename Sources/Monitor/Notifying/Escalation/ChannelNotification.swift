/// A change to notify on one channel.
package struct ChannelNotification: Equatable, Sendable {
    package var channel: String
    package var change: IncidentChange

    package init(channel: String, change: IncidentChange) {
        self.channel = channel
        self.change = change
    }
}
