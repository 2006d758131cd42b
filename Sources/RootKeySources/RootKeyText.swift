package import VaultFormat

/// The text format of root keys: one line `1 clv_root_…` per key; the highest number is the current key.
package enum RootKeyText {
    /// Parses the format. Returns nil for other text and for duplicate numbers. Ignores empty lines and lines that begin with `#`.
    package static func parse(_ text: String) -> RootKeys? {
        var keys: [UInt32: Token] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 2, let id = UInt32(words[0]), let token = Token(words[1]), token.kind == .rootKey,
                keys.updateValue(token, forKey: id) == nil
            else { return nil }
        }
        guard let current = keys.keys.max() else { return nil }
        return RootKeys(current: current, keys: keys.mapValues(\.secret))
    }

    package static func text(_ keys: RootKeys) -> String {
        keys.ids.compactMap { id in keys.key(id).map { "\(id) \(Token(.rootKey, secret: $0).text)\n" } }.joined()
    }
}
