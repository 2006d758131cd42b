package struct UnknownTimeZone: Error, Equatable, CustomStringConvertible, Sendable {
    package let zone: String

    package var description: String {
        "This machine has no time zone \(zone.debugDescription.prefix(80)). Use a tz database name such as Europe/Berlin, America/New_York or UTC."
    }
}
