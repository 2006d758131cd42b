import Files

/// The system's tz database: where NixOS has it, and where others do.
package struct ZoneDirectory: Sendable {
    private let folders: [String]

    package init(folders: [String] = ["/etc/zoneinfo", "/usr/share/zoneinfo"]) { self.folders = folders }

    /// - Throws: `NoSuchZone`.
    package func rules(of zone: String) throws(NoSuchZone) -> ZoneRules {
        if zone == "UTC" { return .utc }
        guard Self.isName(zone) else { throw NoSuchZone(zone: zone) }
        for folder in folders {
            guard let bytes = try? OpenFile(reading: "\(folder)/\(zone)").read(65_536) else { continue }
            if let rules = try? ZoneRules(file: bytes) { return rules }
        }
        throw NoSuchZone(zone: zone)
    }

    /// Such as `America/Argentina/La_Rioja`: nothing that leads out of the folder.
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                part.first?.isLetter == true
                    && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-+".contains($0)) }
            }
    }
}

package struct NoSuchZone: Error, Equatable, CustomStringConvertible, Sendable {
    package let zone: String

    package var description: String {
        "This machine knows no time zone \(zone.debugDescription.prefix(80)). Names are such as Europe/Berlin, America/New_York, or UTC."
    }
}
