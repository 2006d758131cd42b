/// A route from incidents to a channel. Several routes to different channels form an escalation ladder.
package struct Route: Decodable, Equatable, Sendable {
    package var channel: String
    package var severities: Set<Severity>
    /// Regions that match; nil for all. An incident without a region, such as one of the whole fleet, matches every
    /// region.
    package var regions: Set<String>?
    /// Seconds without an acknowledgement before this route applies.
    package var after: Int64
    /// Seconds between reminders until an acknowledgement; 0 for none.
    package var resend: Int64

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case channel, severities, regions, after, resend
        /// The name that Alertmanager uses.
        case repeats = "repeat"
    }

    package init(
        channel: String, severities: Set<Severity>, regions: Set<String>? = nil, after: Int64 = 0, resend: Int64 = 0
    ) {
        self.channel = channel
        self.severities = severities
        self.regions = regions
        self.after = after
        self.resend = resend
    }

    package init(from decoder: any Decoder) throws {
        try decoder.rejectUnknownKeys(than: CodingKeys.allCases.map(\.rawValue), in: "a route")
        let container = try decoder.container(keyedBy: CodingKeys.self)
        channel = try container.decode(String.self, forKey: .channel)
        var severities: Set<Severity> = []
        for word in try container.decode([String].self, forKey: .severities) {
            guard let severity = Severity(rawValue: word) else {
                throw NotificationSettingsError.badValue("severities", "\"\(word)\" must be warning, sev2 or sev1")
            }
            severities.insert(severity)
        }
        self.severities = severities
        regions = try container.decodeIfPresent([String].self, forKey: .regions).map { Set($0) }
        after = try container.decodeIfPresent(Int64.self, forKey: .after) ?? 0
        let repeats = try container.decodeIfPresent(Int64.self, forKey: .repeats)
        let resend = try container.decodeIfPresent(Int64.self, forKey: .resend)
        guard repeats == nil || resend == nil else {
            throw NotificationSettingsError.badValue(
                "the route to \(channel)", "repeat and resend mean the same; keep one")
        }
        self.resend = repeats ?? resend ?? 0
    }

    func matches(_ incident: Incident) -> Bool {
        guard severities.contains(incident.severity) else { return false }
        guard let regions, let region = incident.region else { return true }
        return regions.contains(region)
    }

    func validate() throws(NotificationSettingsError) {
        let name = "the route to \(channel)"
        guard !severities.isEmpty else { throw .badValue(name, "it must have at least one severity") }
        guard regions?.isEmpty != true else { throw .badValue(name, "its list of regions must not be empty") }
        guard (0...604_800).contains(after) else { throw .badValue(name, "after must be from 0 to 604800 seconds") }
        guard resend == 0 || (10...604_800).contains(resend) else {
            throw .badValue(name, "repeat must be 0, or from 10 to 604800 seconds")
        }
    }
}
