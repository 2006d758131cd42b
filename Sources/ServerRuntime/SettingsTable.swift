import Files
package import TOMLKit

/// A program's TOML settings file. Unknown keys are errors.
package struct SettingsTable {
    package let path: String
    package let table: TOMLTable

    package init(_ path: String) throws {
        self.path = path
        let text = try File.read(path, most: 1 << 20)
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw Failure("\(path): \(error.description)")
        }
    }

    package func rejectUnknownKeys(known: [String]) throws {
        let unknown = Set(table.keys).subtracting(known).sorted()
        guard unknown.isEmpty else { throw Failure("\(path): unknown keys: \(unknown.joined(separator: ", ")).") }
    }

    /// Decodes `Keys` from the table, or from the keys that the `keys` predicate selects.
    package func decode<Keys: Decodable>(_: Keys.Type = Keys.self, keys: (String) -> Bool = { _ in true }) throws
        -> Keys
    {
        let part = TOMLTable()
        for (key, value) in table where keys(key) { part[key] = value }
        do {
            return try TOMLDecoder().decode(Keys.self, from: part)
        } catch let error as DecodingError {
            throw Failure("\(path): \(Self.text(error, part))")
        } catch {
            throw Failure("\(path): \(error)")
        }
    }

    /// Explains a decoding error. The decoder reports a key of the wrong type as missing.
    private static func text(_ error: DecodingError, _ table: TOMLTable) -> String {
        let (keys, context): ([any CodingKey], DecodingError.Context)
        switch error {
        case .keyNotFound(let key, let found): (keys, context) = (found.codingPath + [key], found)
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
            (keys, context) = (found.codingPath, found)
        @unknown default: return "\(error)"
        }
        // The path may end with the key already.
        let name = keys.map(\.stringValue).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        if case .keyNotFound = error, let first = name.first, name.count > 1 || table[first] == nil {
            return "\(name.joined(separator: ".")) is missing or has the wrong type. (\(context.debugDescription))"
        }
        return "\(name.joined(separator: ".")) has the wrong type. (\(context.debugDescription))"
    }
}
