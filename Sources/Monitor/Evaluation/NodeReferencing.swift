/// A record that refers to nodes by name, and follows when they are renamed.
protocol NodeReferencing: Codable {
    /// Replaces node names. `names` maps old names to new ones.
    mutating func rename(_ names: [String: String])
}
