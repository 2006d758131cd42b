/// Encodes a plan for the API and the store. Rows of earlier versions name the duration `span`, which is still read.
extension MaintenancePlan {
    private enum CodingKeys: String, CodingKey {
        case id, nodes, by, reason, start, zone, isWeekly, duration, begun
        case span
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let duration =
            try container.decodeIfPresent(Int64.self, forKey: .duration)
            ?? container.decode(Int64.self, forKey: .span)
        self.init(
            id: try container.decode(Int64.self, forKey: .id),
            nodes: try container.decode([String].self, forKey: .nodes),
            by: try container.decode(String.self, forKey: .by),
            reason: try container.decode(String.self, forKey: .reason),
            start: try container.decode(String.self, forKey: .start),
            zone: try container.decode(String.self, forKey: .zone),
            isWeekly: try container.decode(Bool.self, forKey: .isWeekly), duration: duration)
        begun = try container.decodeIfPresent(Int64.self, forKey: .begun)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(nodes, forKey: .nodes)
        try container.encode(by, forKey: .by)
        try container.encode(reason, forKey: .reason)
        try container.encode(start, forKey: .start)
        try container.encode(zone, forKey: .zone)
        try container.encode(isWeekly, forKey: .isWeekly)
        try container.encode(duration, forKey: .duration)
        try container.encodeIfPresent(begun, forKey: .begun)
    }
}
