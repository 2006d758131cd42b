/// Encodes an incident for the API and the store. Rows of version 0.1.0 name the inhibiting incident `hiddenBy`, which is
/// still read.
extension Incident {
    private enum CodingKeys: String, CodingKey {
        case id, key, node, region, rule, severity, title, detail, opened, resolved, ending, acknowledged, inhibitedBy
        case hiddenBy
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try container.decode(Int64.self, forKey: .id), key: try container.decode(String.self, forKey: .key),
            node: try container.decodeIfPresent(String.self, forKey: .node),
            region: try container.decodeIfPresent(String.self, forKey: .region),
            rule: try container.decode(String.self, forKey: .rule),
            severity: try container.decode(Severity.self, forKey: .severity),
            title: try container.decode(String.self, forKey: .title),
            detail: try container.decode(String.self, forKey: .detail),
            opened: try container.decode(Int64.self, forKey: .opened))
        resolved = try container.decodeIfPresent(Int64.self, forKey: .resolved)
        ending = try container.decodeIfPresent(String.self, forKey: .ending)
        acknowledged = try container.decodeIfPresent(Acknowledgement.self, forKey: .acknowledged)
        inhibitedBy =
            try container.decodeIfPresent(String.self, forKey: .inhibitedBy)
            ?? container.decodeIfPresent(String.self, forKey: .hiddenBy)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(key, forKey: .key)
        try container.encodeIfPresent(node, forKey: .node)
        try container.encodeIfPresent(region, forKey: .region)
        try container.encode(rule, forKey: .rule)
        try container.encode(severity, forKey: .severity)
        try container.encode(title, forKey: .title)
        try container.encode(detail, forKey: .detail)
        try container.encode(opened, forKey: .opened)
        try container.encodeIfPresent(resolved, forKey: .resolved)
        try container.encodeIfPresent(ending, forKey: .ending)
        try container.encodeIfPresent(acknowledged, forKey: .acknowledged)
        try container.encodeIfPresent(inhibitedBy, forKey: .inhibitedBy)
    }
}
