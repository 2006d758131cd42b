/// The round-trip time to a place: light in fibre, along a path longer than the shortest, plus the access line. This is a
/// model, not a measurement; its numbers are stated here and printed with each report.
package struct Propagation: Equatable, Codable, Sendable {
    /// Kilometres per millisecond. Light in vacuum has 299.792 (exact, by the definition of the metre); glass with a
    /// refractive index of about 1.47 (ITU-T G.652 fibre at 1550 nm, makers' data sheets) slows it to two thirds.
    package var speed = 299.792_458 * 2 / 3
    /// The factor by which the path along cables and through exchanges is longer than the great circle.
    ///
    /// Bozkurt et al., "Why Is the Internet so Slow?!", PAM 2017: without the inflation of the infrastructure small
    /// fetches would be more than three times as fast, against light in vacuum; against light in glass that is two. On
    /// good transit in rich countries 1.5 is usual, between African and South American neighbours it is more.
    package var stretch = 2.0
    /// Milliseconds for both directions, independent of the distance: the access line and the machines at both ends. An
    /// assumption for fibre and cable; DSL and mobile networks take 20 to 50, satellites in high orbits 600.
    package var lastMile = 10.0

    package init() {}

    /// The round-trip time in milliseconds, for kilometres along the great circle.
    package func roundTrip(_ distance: Double) -> Double {
        2 * distance * stretch / speed + lastMile
    }

    /// The kilometres along the great circle that are reached within the given milliseconds.
    package func reach(_ milliseconds: Double) -> Double {
        max(0, milliseconds - lastMile) * speed / (2 * stretch)
    }
}

extension Propagation: CustomStringConvertible {
    package var description: String {
        """
        Model: great circle x \(stretch.short) (paths are longer than the shortest) at \(speed.short) km/ms (light in \
        fibre), both ways, plus \(lastMile.short) ms for the last mile.
        """
    }
}

extension Double {
    /// With one decimal digit, unless it is zero.
    package var short: String {
        let tenths = (self * 10).rounded()
        guard tenths.magnitude < 1e15 else { return "\(self)" }
        let whole = Int64(tenths) / 10
        let rest = abs(Int64(tenths) % 10)
        let sign = tenths < 0 && whole == 0 ? "-" : ""
        return rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest)"
    }
}
