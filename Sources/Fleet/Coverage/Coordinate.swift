import Glibc

/// A place on the globe.
package struct Coordinate: Hashable, Codable, Sendable {
    /// Degrees, north positive.
    package var latitude: Double
    /// Degrees, east positive.
    package var longitude: Double

    package init(latitude: Double, longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }

    /// Kilometres. The earth's mean radius (IUGG), with an error of at most 0.6 percent.
    private static let earthRadius = 6_371.0088

    /// Kilometres along the great circle, by the haversine formula, which is also accurate for points close together.
    package func distance(to other: Coordinate) -> Double {
        let (here, there) = (latitude.radians, other.latitude.radians)
        let northing = sin((there - here) / 2)
        let easting = sin((other.longitude - longitude).radians / 2)
        let haversine = northing * northing + cos(here) * cos(there) * easting * easting
        // Rounding can push antipodes past one.
        return 2 * Self.earthRadius * asin(min(1, haversine.squareRoot()))
    }
}

extension Double {
    fileprivate var radians: Double { self * .pi / 180 }
}

extension Node {
    package var coordinate: Coordinate { Coordinate(latitude: latitude, longitude: longitude) }
}
