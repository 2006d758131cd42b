/// A place where people live.
package struct InhabitedPlace: Equatable, Sendable {
    /// `Buenos Aires`.
    package var name: String
    /// ISO 3166.
    package var country: String
    /// The tz database's first division: a continent or an ocean.
    package var area: String
    package var coordinate: Coordinate

    package static func all() throws(PlaceError) -> [InhabitedPlace] {
        var places: [InhabitedPlace] = []
        for line in list.split(whereSeparator: { $0 == "|" || $0 == "\n" }) {
            places.append(try InhabitedPlace(line))
        }
        return places
    }

    /// Reads `AR -3436-05827 America/Argentina/Buenos_Aires`.
    package init(_ line: some StringProtocol) throws(PlaceError) {
        let words = Substring(line).split(separator: " ")
        guard words.count == 3 else { throw .unreadable(String(line)) }
        let zone = words[2].split(separator: "/")
        guard let first = zone.first, let last = zone.last,
            let cut = words[1].dropFirst().firstIndex(where: { $0 == "+" || $0 == "-" }),
            let latitude = Self.degrees(words[1][..<cut], digits: 2),
            let longitude = Self.degrees(words[1][cut...], digits: 3)
        else { throw .unreadable(String(line)) }
        country = String(words[0])
        area = String(first)
        name = String(last.map { $0 == "_" ? " " : $0 })
        coordinate = Coordinate(latitude: latitude, longitude: longitude)
    }

    /// `+DDMM` or `+DDMMSS` of ISO 6709, with the given number of digits for whole degrees.
    private static func degrees(_ text: Substring, digits: Int) -> Double? {
        let number = text.dropFirst()
        guard number.count == digits + 2 || number.count == digits + 4, number.allSatisfy(\.isNumber),
            let whole = Int(number.prefix(digits)), let minutes = Int(number.dropFirst(digits).prefix(2)),
            minutes < 60
        else { return nil }
        let seconds = Int(number.dropFirst(digits + 2)) ?? 0
        let size = Double(whole) + Double(minutes) / 60 + Double(seconds) / 3_600
        guard seconds < 60, size <= (digits == 2 ? 90 : 180) else { return nil }
        return text.first == "-" ? -size : size
    }
}

package enum PlaceError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(String)

    package var description: String {
        switch self {
        case .unreadable(let line): "The list of places has a line that is none: \(line)"
        }
    }
}
