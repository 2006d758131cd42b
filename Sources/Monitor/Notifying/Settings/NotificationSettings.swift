/// Notification settings: the tables `[[channel]]` and `[[route]]` of the configuration file.
package struct NotificationSettings: Decodable, Equatable, Sendable {
    package var channels: [ChannelSettings]
    package var routes: [Route]
    /// URL of the dashboard, for links in messages.
    package var dashboard: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case channels = "channel"
        case routes = "route"
        case dashboard
    }

    /// Without routes every channel is notified of SEV2 and SEV1 at once.
    package init(
        channels: [ChannelSettings], routes: [Route] = [], dashboard: String? = nil
    ) throws(NotificationSettingsError) {
        self.channels = channels
        self.routes = routes.isEmpty ? channels.map { Route(channel: $0.name, severities: [.sev2, .sev1]) } : routes
        self.dashboard = dashboard.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        var names: Set<String> = []
        for channel in channels {
            guard names.insert(channel.name).inserted else { throw .sameName(channel.name) }
            try channel.validate()
        }
        for route in routes {
            guard names.contains(route.channel) else { throw .noSuchChannel(route.channel) }
            try route.validate()
        }
        guard let dashboard = self.dashboard else { return }
        guard WebAddress(dashboard) != nil else { throw .badValue("dashboard", "it must be an http or https URL") }
    }

    /// Recipients by channel.
    package var recipients: [String: [String]] {
        Dictionary(channels.map { ($0.name, $0.recipients) }) { first, _ in first }
    }

    package init(from decoder: any Decoder) throws {
        try decoder.rejectUnknownKeys(than: CodingKeys.allCases.map(\.rawValue), in: "the notification settings")
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            channels: try container.decodeIfPresent([ChannelSettings].self, forKey: .channels) ?? [],
            routes: try container.decodeIfPresent([Route].self, forKey: .routes) ?? [],
            dashboard: try container.decodeIfPresent(String.self, forKey: .dashboard))
    }
}
