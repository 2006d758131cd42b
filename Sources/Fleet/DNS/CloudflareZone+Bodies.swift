extension CloudflareZone {
    /// The envelope of every response.
    struct Envelope<Result: Decodable & Sendable>: Decodable, Sendable {
        struct Failure: Decodable, Sendable {
            var code: Int
            var message: String
        }

        struct Pages: Decodable, Sendable {
            var totalPages: Int?

            private enum CodingKeys: String, CodingKey { case totalPages = "total_pages" }
        }

        var success: Bool
        var errors: [Failure]
        var result: Result?
        var resultInfo: Pages?

        private enum CodingKeys: String, CodingKey {
            case success, errors, result
            case resultInfo = "result_info"
        }
    }

    struct Ignored: Decodable, Sendable {
        init(from decoder: any Decoder) {}
    }

    struct Record: Decodable, Equatable, Sendable {
        var id: String
        var content: String
        var ttl: Int
        var proxied: Bool?
    }

    /// A batch of changes. Cloudflare performs deletions first, then patches, then additions.
    struct Batch: Encodable, Equatable {
        struct Deletion: Encodable, Equatable { var id: String }

        struct Patch: Encodable, Equatable {
            var id: String
            var ttl: Int
            var proxied = false
        }

        struct Addition: Encodable, Equatable {
            var type: String
            var name: String
            var content: String
            var ttl: Int
            var proxied = false
        }

        var deletes: [Deletion] = []
        var patches: [Patch] = []
        var posts: [Addition] = []

        var isEmpty: Bool { deletes.isEmpty && patches.isEmpty && posts.isEmpty }

        /// Adds a change relative to the present records, which may differ from those at the time of the plan.
        mutating func add(_ change: NameChange, present: [Record]) {
            var missing = change.after.addresses
            for record in present {
                guard let address = HostAddress(record.content), missing.remove(address) != nil else {
                    deletes.append(Deletion(id: record.id))
                    continue
                }
                if record.ttl != change.after.ttl || record.proxied == true {
                    patches.append(Patch(id: record.id, ttl: change.after.ttl))
                }
            }
            posts += missing.sorted().map {
                Addition(
                    type: $0.recordType, name: change.name, content: $0.description, ttl: change.after.ttl)
            }
        }
    }
}

/// Why a request to Cloudflare failed. Never contains the token.
package enum CloudflareError: Error, Equatable, Sendable, CustomStringConvertible {
    case zoneID(String)
    case unreachable(String)
    case tooMany(seconds: Int?)
    case unreadable(String)
    case refused(status: Int, reasons: [String])

    package var description: String {
        switch self {
        case .zoneID(let text):
            "zone-id = \"\(text)\" in [dns] must be 32 hexadecimal digits, as shown on the zone's overview page."
        case .unreachable(let why):
            "Cloudflare's API cannot be reached: \(why)."
        case .tooMany(let seconds?):
            "Cloudflare's rate limit is exceeded for \(seconds) s. Wait, and check what else uses this token."
        case .tooMany(nil):
            "Cloudflare's rate limit is exceeded. Wait some minutes, and check what else uses this token."
        case .unreadable(let what):
            "The response is not one of Cloudflare's API: \(what)."
        case .refused(let status, let reasons) where status == 401 || status == 403:
            """
            Cloudflare rejects the token for this zone: \(reasons.joined(separator: "; ")). It needs the permission \
            Zone / DNS / Edit.
            """
        case .refused(let status, let reasons):
            "Cloudflare refuses the request (\(status)): \(reasons.joined(separator: "; "))."
        }
    }
}
