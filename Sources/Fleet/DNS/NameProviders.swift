import AsyncHTTPClient
package import DNSUpdate
import Files
import Outbound

extension DNS {
    /// Runs `body` with the provider that the settings choose.
    ///
    /// - Parameters:
    ///   - inventory: The inventory with these settings.
    ///   - now: Unix seconds, for signatures.
    ///   - body: May read and change the zone.
    /// - Returns: The result of `body`.
    /// - Throws: Errors of `body`, or what is wrong with the settings.
    package func withProvider<Result>(
        of inventory: Inventory, now: @escaping @Sendable () -> Int64,
        _ body: (any NameProvider) async throws -> Result
    ) async throws -> Result {
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .outbound)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(try nameProvider(for: inventory, client: client, now: now)))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    /// The provider that the settings choose.
    ///
    /// - Parameters:
    ///   - inventory: The inventory with these settings.
    ///   - client: For Cloudflare's API; shut down by the caller.
    ///   - now: Unix seconds, for signatures.
    /// - Returns: The provider.
    /// - Throws: `DNSSettingsError`, or what is wrong with a file or a name.
    func nameProvider(
        for inventory: Inventory, client: HTTPClient, now: @escaping @Sendable () -> Int64
    ) throws -> any NameProvider {
        switch provider {
        case .rfc2136:
            let address = try Self.address(try required(server, "server"))
            let key = try Self.key(try required(keyFile, "key-file"))
            return UpdatedZone(DNSUpdater(server: address, zone: try DNSName(zone), key: key, now: now))
        case .gdnsd:
            return HealthFile(path: try required(healthFile, "health-file"), complete: try Records(inventory))
        case .cloudflare:
            return try CloudflareZone(
                client: client, zoneID: try required(zoneID, "zone-id"),
                token: try Self.token(try required(tokenFile, "token-file")))
        }
    }

    private func required(_ value: String?, _ key: String) throws(DNSSettingsError) -> String {
        guard let value, !value.isEmpty else { throw .missing(key, provider.rawValue) }
        return value
    }

    /// The file's only word. Errors never quote it: it may be the damaged secret.
    private static func token(_ path: String) throws(DNSSettingsError) -> String {
        let words = try secret(path, "token-file").split(whereSeparator: \.isWhitespace)
        guard let word = words.first, words.count == 1, word.isVisibleASCII else { throw .form("token-file", path) }
        return String(word)
    }

    private static func key(_ path: String) throws(DNSSettingsError) -> TSIGKey {
        let text = try TSIGKeyText(secret(path, "key-file")).line
        guard text.isVisibleASCII else { throw .form("key-file", path) }
        do {
            return try TSIGKey(text)
        } catch {
            throw .key(path, error)
        }
    }

    private static func secret(_ path: String, _ setting: String) throws(DNSSettingsError) -> String {
        let text: String
        do {
            text = try File.read(path, most: 4_096)
        } catch {
            throw .file(setting, path, "\(error)")
        }
        guard text.contains(where: { !$0.isWhitespace }) else { throw .empty(path) }
        return text
    }

    /// `192.0.2.53`, `192.0.2.53:53`, `ns.example.org:53` or `[2001:db8::53]:53`.
    static func address(_ text: String) throws(DNSSettingsError) -> (host: String, port: Int) {
        var (host, rest) = (text[...], Substring())
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
            (host, rest) = (text[..<colon], text[colon...])
        }
        guard !rest.isEmpty else { return (String(host), 53) }
        guard !host.isEmpty, rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else {
            throw .server(text)
        }
        return (String(host), Int(port))
    }
}

package enum DNSSettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(String, String)
    case server(String)
    case empty(String)
    case file(String, String, String)
    case form(String, String)
    case key(String, TSIGKeyError)

    package var description: String {
        switch self {
        case .missing(let key, let provider): "The provider \(provider) requires \(key) in [dns] of the inventory."
        case .server(let text):
            "server = \"\(text)\" in [dns] must be an address such as 192.0.2.53 or 192.0.2.53:53."
        case .empty(let path): "\(path) is empty. Write the key or the token into it."
        case .file(let setting, let path, let why):
            "\(setting) = \"\(path)\" in [dns] of the inventory cannot be read: \(why)"
        case .form(let setting, let path):
            """
            \(path), \(setting) in [dns], must have a single key or token in visible ASCII. Save it as plain text, without \
            anything else.
            """
        case .key(let path, let why): "\(path), key-file in [dns]: \(why)"
        }
    }
}
