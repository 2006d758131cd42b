import Files

/// The system's tz database, in the directories of NixOS and of other distributions.
package struct TimeZoneDatabase: Sendable {
    private let directories: [String]

    package init(directories: [String] = ["/etc/zoneinfo", "/usr/share/zoneinfo"]) { self.directories = directories }

    /// - Throws: `UnknownTimeZone`.
    package func rules(of zone: String) throws(UnknownTimeZone) -> TimeZoneRules {
        if zone == "UTC" { return .utc }
        guard Self.isName(zone) else { throw UnknownTimeZone(zone: zone) }
        for directory in directories {
            guard let bytes = try? OpenFile(reading: "\(directory)/\(zone)").read(65_536) else { continue }
            if let rules = try? TimeZoneRules(file: bytes) { return rules }
        }
        throw UnknownTimeZone(zone: zone)
    }

    /// Whether this is a zone name such as `America/Argentina/La_Rioja`; rejects paths that leave the directory.
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                part.first?.isLetter == true
                    && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-+".contains($0)) }
            }
    }
}
