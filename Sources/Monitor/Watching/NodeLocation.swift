/// A node's location and address, from the fleet's inventory.
package struct NodeLocation: Codable, Equatable, Sendable {
    package var name: String
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    /// Address at which it serves and can be probed, `https://…`.
    package var url: String?

    package init(name: String, city: String?, latitude: Double?, longitude: Double?, url: String? = nil) {
        self.name = name
        self.url = url
        self.city = city
        self.latitude = latitude
        self.longitude = longitude
    }
}
