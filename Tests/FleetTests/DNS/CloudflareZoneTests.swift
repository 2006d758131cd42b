import AsyncHTTPClient
import Fleet
import Foundation
import NIOHTTP1
import NIOSSL
import Synchronization
import TestSupport
import Testing

/// Uses a TLS server that implements the documented part of Cloudflare's API.
@Suite(.timeLimit(.minutes(3))) struct CloudflareZoneTests {
    /// One zone of the server.
    final class Zone: Sendable {
        struct Record: Codable, Equatable {
            var id: String
            var type = "A"
            var name: String
            var content: String
            var ttl: Int
            var proxied = false
        }

        private struct Batch: Decodable {
            struct ID: Decodable { var id: String }
            struct Patch: Decodable {
                var id: String
                var ttl: Int
                var proxied: Bool
            }
            struct Post: Decodable {
                var type: String
                var name: String
                var content: String
                var ttl: Int
                var proxied: Bool
            }
            var deletes: [ID]
            var patches: [Patch]
            var posts: [Post]
        }

        let records = Mutex<[Record]>([])
        let requests = Mutex<[String]>([])
        private let token = "t0ken"
        /// The API's minimum is 5.
        private let pageSize = 2

        func answer(_ request: SecureServer.Request) -> SecureServer.Response {
            requests.withLock { $0.append("\(request.method) \(request.uri)") }
            guard request.headers["Authorization"].first == "Bearer \(token)" else {
                return Self.refusal(.forbidden, 10000, "Authentication error")
            }
            guard let url = URLComponents(string: request.uri),
                url.path.hasPrefix("/client/v4/zones/0123abcd/dns_records")
            else { return Self.refusal(.notFound, 7003, "Could not route to \(request.uri)") }
            if request.method == .GET {
                let query = Dictionary(
                    uniqueKeysWithValues: (url.queryItems ?? []).map { ($0.name, $0.value ?? "") })
                return page(query["name"] ?? "", query["type"] ?? "", Int(query["page"] ?? "1") ?? 1)
            }
            guard request.method == .POST, url.path.hasSuffix("/batch"),
                let batch = try? JSONDecoder().decode(Batch.self, from: Data(request.body.utf8))
            else { return Self.refusal(.badRequest, 9207, "Request body is invalid.") }
            return perform(batch)
        }

        private func page(_ name: String, _ type: String, _ page: Int) -> SecureServer.Response {
            let all = records.withLock { $0.filter { $0.name == name && $0.type == type } }
            let part = all.dropFirst((page - 1) * pageSize).prefix(pageSize)
            let pages = max(1, (all.count + pageSize - 1) / pageSize)
            let json = (try? String(decoding: JSONEncoder().encode(Array(part)), as: UTF8.self)) ?? ""
            return .init(
                body: """
                    {"success":true,"errors":[],"messages":[],"result":\(json),"result_info":{"page":\(page),\
                    "per_page":\(pageSize),"count":\(part.count),"total_count":\(all.count),"total_pages":\(pages)}}
                    """)
        }

        /// Applies all changes or none.
        private func perform(_ batch: Batch) -> SecureServer.Response {
            records.withLock { records in
                var after = records
                for delete in batch.deletes { after.removeAll { $0.id == delete.id } }
                for patch in batch.patches {
                    guard let index = after.firstIndex(where: { $0.id == patch.id }) else {
                        return Self.refusal(.notFound, 81044, "Record does not exist.")
                    }
                    (after[index].ttl, after[index].proxied) = (patch.ttl, patch.proxied)
                }
                for post in batch.posts {
                    guard !after.contains(where: { $0.name == post.name && $0.content == post.content }) else {
                        return Self.refusal(.badRequest, 81058, "An identical record already exists.")
                    }
                    after.append(
                        Record(
                            id: UUID().uuidString, type: post.type, name: post.name, content: post.content,
                            ttl: post.ttl,
                            proxied: post.proxied))
                }
                records = after
                return .init(
                    body: #"{"success":true,"errors":[],"messages":[],"result":{"deletes":[],"posts":[]}}"#)
            }
        }

        static func refusal(_ status: HTTPResponseStatus, _ code: Int, _ message: String) -> SecureServer.Response {
            .init(
                status: status,
                body: """
                    {"success":false,"errors":[{"code":\(code),"message":"\(message)"}],"messages":[],"result":null}
                    """)
        }
    }

    let scratch: Scratch
    let zone = Zone()

    init() throws { scratch = try Scratch() }

    private func with<R: Sendable>(
        token: String = "t0ken", conduct: SecureServer.Conduct? = nil, _ body: (CloudflareZone) async throws -> R
    ) async throws -> R {
        try await SecureServer.with(in: scratch.path, conduct: conduct ?? { self.zone.answer($0) }) { server in
            var configuration = HTTPClient.Configuration()
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(server.certificate)
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let zone = try CloudflareZone(
                    client: client, base: "https://localhost:\(server.port)/client/v4", zoneID: "0123abcd",
                    token: token)
                let result = try await body(zone)
                try await client.shutdown()
                return result
            } catch {
                try await client.shutdown()
                throw error
            }
        }
    }

    @Test func anAppliedPlanLeavesNoChanges() async throws {
        let wanted = try Records(try sampleFleet(5))
        let present = try await with { zone in
            try await zone.apply(NamePlan(wanted: wanted, present: [:]).changes)
            return try await zone.present(wanted.sets.keys.sorted())
        }
        // Five under the nearest name: three pages.
        #expect(present == wanted.sets)
        #expect(zone.records.withLock { $0.allSatisfy { !$0.proxied && $0.ttl == 30 } })
    }

    @Test func bothFamiliesAreKeptAndUnknownAddressesRemoved() async throws {
        let inventory = try sampleFleet(2) { $0[1].ipv6 = "2001:db8::2" }
        let wanted = try Records(inventory)
        zone.records.withLock {
            $0 = [
                Zone.Record(id: "1", type: "AAAA", name: "n1.example.org", content: "2001:db8:0::bad", ttl: 30),
                Zone.Record(id: "2", type: "TXT", name: "n1.example.org", content: "of another program", ttl: 30),
            ]
        }
        let (before, present) = try await with { zone in
            let before = try await zone.present(wanted.sets.keys.sorted())
            try await zone.apply(NamePlan(wanted: wanted, present: before).changes)
            return (before, try await zone.present(wanted.sets.keys.sorted()))
        }
        #expect(
            NamePlan(wanted: wanted, present: before).lines.contains(
                "- n1.example.org 30 AAAA 2001:db8::bad  (no node of the inventory)"))
        #expect(present == wanted.sets)
        #expect(zone.records.withLock { $0.map(\.type).sorted() } == ["A", "A", "A", "A", "AAAA", "AAAA", "TXT"])
    }

    @Test func aWithdrawnNodeIsRemovedInOneBatch() async throws {
        let whole = try Records(try sampleFleet(5))
        let wanted = try Records(try sampleFleet(5), withdrawn: ["n2"])
        let present = try await with { zone in
            try await zone.apply(NamePlan(wanted: whole, present: [:]).changes)
            self.zone.requests.withLock { $0 = [] }
            try await zone.apply(NamePlan(wanted: wanted, present: whole.sets).changes)
            return try await zone.present([wanted.nearest])
        }
        #expect(present[wanted.nearest]?.addresses == addresses(1, 3, 4, 5))
        #expect(zone.requests.withLock { $0.count { $0.hasPrefix("POST") } } == 1)
    }

    /// 1 is a valid TTL, and also what Cloudflare returns for a proxied record.
    @Test(arguments: [1, 30]) func aProxiedRecordIsUnproxied(_ ttl: Int) async throws {
        zone.records.withLock {
            $0 = [Zone.Record(id: "1", name: "api.example.org", content: "192.0.2.1", ttl: 1, proxied: true)]
        }
        let wanted = try Records(try sampleFleet(2, ttl: ttl), withdrawn: ["n2"])
        let plan = try await with { zone in
            let plan = NamePlan(
                wanted: wanted, present: try await zone.present([wanted.nearest]), names: [wanted.nearest])
            try await zone.apply(plan.changes)
            return plan
        }
        #expect(plan.lines == ["~ api.example.org ttl 0 -> \(ttl)"])
        #expect(
            zone.records.withLock { $0 }
                == [Zone.Record(id: "1", name: "api.example.org", content: "192.0.2.1", ttl: ttl)])
    }

    @Test func anUnsendableTokenIsNotPrinted() async throws {
        await #expect {
            try await with(token: "s3cret\u{1B}[201~") { try await $0.present(["api.example.org"]) }
        } throws: {
            !"\($0)".contains("s3cret")
        }
    }

    @Test func recordsAreReadAgainBeforeAChange() async throws {
        let wanted = try Records(try sampleFleet(2))
        zone.records.withLock { $0 = [Zone.Record(id: "1", name: "api.example.org", content: "192.0.2.1", ttl: 30)] }
        let present = try await with { zone in
            try await zone.apply(NamePlan(wanted: wanted, present: [:], names: [wanted.nearest]).changes)
            return try await zone.present([wanted.nearest])
        }
        #expect(present[wanted.nearest]?.addresses == addresses(1, 2))
    }

    struct PreconditionError: CustomTestStringConvertible {
        var testDescription: String
        var token = "t0ken"
        var response: SecureServer.Response?
        var expected: CloudflareError
    }

    @Test(arguments: [
        PreconditionError(
            testDescription: "a wrong token", token: "an0ther",
            expected: .refused(status: 403, reasons: ["Authentication error (10000)"])),
        PreconditionError(
            testDescription: "too many requests",
            response: .init(status: .tooManyRequests, headers: ["Retry-After": "17"], body: "slow down"),
            expected: .tooMany(seconds: 17)),
        PreconditionError(
            testDescription: "an error with status 200", response: Zone.refusal(.ok, 1004, "DNS Validation Error"),
            expected: .refused(status: 200, reasons: ["DNS Validation Error (1004)"])),
        PreconditionError(
            testDescription: "an HTML page", response: .init(status: .badGateway, body: "<html>"),
            expected: .unreadable("status 502")),
    ])
    func aRejectionIsReported(_ example: PreconditionError) async throws {
        let zone = zone
        let conduct: SecureServer.Conduct = { request in example.response ?? zone.answer(request) }
        await #expect(throws: example.expected) {
            try await with(token: example.token, conduct: conduct) { try await $0.present(["api.example.org"]) }
        }
        #expect(!"\(example.expected)".contains(example.token))
    }

    @Test func anEndlessResponseIsAborted() async throws {
        let flood = String(repeating: " ", count: 2 << 20)
        await #expect(throws: CloudflareError.self) {
            try await with(conduct: { _ in .init(body: flood) }) { try await $0.present(["api.example.org"]) }
        }
    }

    @Test func anInvalidZoneIDIsRejected() async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        #expect(throws: CloudflareError.zoneID("../accounts")) {
            _ = try CloudflareZone(client: client, zoneID: "../accounts", token: "t")
        }
        try await client.shutdown()
    }
}
