import AsyncHTTPClient
import DNSUpdate
import Files

extension DNS {
    /// Lends the keeper of the names that the settings choose.
    ///
    /// - Parameters:
    ///   - inventory: Whose settings these are.
    ///   - now: Unix seconds, for signatures.
    ///   - body: May ask and change.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, or what is wrong with the settings.
    package func withNames<Result>(
        of inventory: Inventory, now: @escaping @Sendable () -> Int64,
        _ body: (any NameProvider) async throws -> Result
    ) async throws -> Result {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(try names(of: inventory, client: client, now: now)))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    /// The keeper of the names that the settings choose.
    ///
    /// - Parameters:
    ///   - inventory: Whose settings these are.
    ///   - client: For Cloudflare's API; belongs to the caller.
    ///   - now: Unix seconds, for signatures.
    /// - Returns: It, ready to be asked.
    /// - Throws: `DNSSettingsError`, or what is wrong with a file or a name.
    func names(
        of inventory: Inventory, client: HTTPClient, now: @escaping @Sendable () -> Int64
    ) throws -> any NameProvider {
        switch provider {
        case .rfc2136:
            let address = try Self.address(try required(server, "server"))
            let key = try TSIGKey(try Self.secret(try required(keyFile, "key-file")))
            return UpdatedZone(DNSUpdater(server: address, zone: try DNSName(zone), key: key, now: now))
        case .gdnsd:
            return HealthFile(path: try required(healthFile, "health-file"), complete: try Records(inventory))
        case .cloudflare:
            return try CloudflareZone(
                client: client, zoneID: try required(zoneID, "zone-id"),
                token: try Self.secret(try required(tokenFile, "token-file")))
        }
    }

    private func required(_ value: String?, _ key: String) throws(DNSSettingsError) -> String {
        guard let value, !value.isEmpty else { throw .missing(key, provider.rawValue) }
        return value
    }

    /// The file's one word.
    private static func secret(_ path: String) throws -> String {
        let text = try File.read(path, most: 4_096).filter { !$0.isWhitespace }
        guard !text.isEmpty else { throw DNSSettingsError.empty(path) }
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

    package var description: String {
        switch self {
        case .missing(let key, let provider): "The provider \(provider) needs \(key) in [dns] of the inventory."
        case .server(let text): "server = \"\(text)\" in [dns] is no address. Write it as 192.0.2.53 or 192.0.2.53:53."
        case .empty(let path): "\(path) is empty. Put the key or the token into it."
        }
    }
}
