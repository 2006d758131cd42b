package import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Outbound

/// The provider for a zone at Cloudflare, in DNS-only mode, so that traffic does not pass through Cloudflare's proxies.
///
/// Uses version 4 of the API. All changes of a call are one batch, which Cloudflare performs as one transaction.
package struct CloudflareZone: NameProvider {
    package static let address = "https://api.cloudflare.com/client/v4"
    /// Limit of pages with a hundred records each.
    private static let maximumPages = 20

    private let client: HTTPClient
    private let base: String
    private let zoneID: String
    private let token: String

    /// - Parameters:
    ///   - client: Shut down by the caller.
    ///   - base: The API's address.
    ///   - zoneID: As shown in the dashboard.
    ///   - token: An API token with permission to edit the zone's DNS.
    /// - Throws: `CloudflareError.zoneID`.
    package init(
        client: HTTPClient, base: String = CloudflareZone.address, zoneID: String, token: String
    ) throws(CloudflareError) {
        // The id becomes part of a path.
        guard !zoneID.isEmpty, zoneID.utf8.allSatisfy({ $0.isHexDigit }) else { throw .zoneID(zoneID) }
        self.client = client
        self.base = base
        self.zoneID = zoneID
        self.token = token
    }

    package func present(_ names: [String]) async throws -> [String: RecordSet] {
        var sets: [String: RecordSet] = [:]
        for name in names { sets[name] = try Self.set(try await records(name)) }
        return sets
    }

    package func apply(_ changes: [NameChange]) async throws {
        var batch = Batch()
        for change in changes { batch.add(change, present: try await records(change.name)) }
        guard !batch.isEmpty else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let _: Envelope<Ignored> = try await call(.POST, "dns_records/batch", body: try encoder.encode(batch))
    }

    static func set(_ records: [Record]) throws(CloudflareError) -> RecordSet? {
        guard let first = records.first else { return nil }
        var set = RecordSet(addresses: [], ttl: first.ttl)
        for record in records {
            guard let address = HostAddress(record.content) else { throw .unreadable("no address: \(record.content)") }
            set.addresses.insert(address)
            // A proxied record or differing TTLs must not equal any wanted set: no wanted set has TTL 0.
            if record.proxied == true || record.ttl != first.ttl { set.ttl = 0 }
        }
        return set
    }

    private func records(_ name: String) async throws -> [Record] {
        try await records(name, "A") + records(name, "AAAA")
    }

    private func records(_ name: String, _ type: String) async throws -> [Record] {
        var records: [Record] = []
        for page in 1...Self.maximumPages {
            let response: Envelope<[Record]> = try await call(
                .GET, "dns_records?type=\(type)&name=\(name)&per_page=100&page=\(page)")
            records += response.result ?? []
            if page >= response.resultInfo?.totalPages ?? 1 { return records }
        }
        throw CloudflareError.unreadable("\(name) has more than \(Self.maximumPages) pages of records")
    }

    private func call<Result>(
        _ method: HTTPMethod, _ path: String, body: Data? = nil
    ) async throws(CloudflareError) -> Envelope<Result> {
        var request = HTTPClientRequest(url: "\(base)/zones/\(zoneID)/\(path)")
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(Array(body))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await client.execute(request, timeout: .seconds(15))
            bytes = try await response.body.collect(upTo: 1 << 20)
        } catch {
            throw .unreachable("\(TransportFault(error))")
        }
        if response.status == .tooManyRequests {
            throw .tooMany(seconds: response.headers.first(name: "Retry-After").flatMap { Int($0) })
        }
        let envelope: Envelope<Result>
        do {
            envelope = try JSONDecoder().decode(Envelope<Result>.self, from: Data(bytes.readableBytesView))
        } catch {
            throw .unreadable("status \(response.status.code)")
        }
        guard envelope.success, response.status.code < 300 else {
            throw .refused(
                status: Int(response.status.code), reasons: envelope.errors.map { "\($0.message) (\($0.code))" })
        }
        return envelope
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
