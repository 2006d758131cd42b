extension CloudflareZone {
    /// The envelope of every answer.
    struct Answer<Result: Decodable & Sendable>: Decodable, Sendable {
        struct Fault: Decodable, Sendable {
            var code: Int
            var message: String
        }

        struct Pages: Decodable, Sendable {
            var totalPages: Int?

            private enum CodingKeys: String, CodingKey { case totalPages = "total_pages" }
        }

        var success: Bool
        var errors: [Fault]
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

    /// Deletions are done first, then what is altered, then what is new.
    struct Batch: Encodable, Equatable {
        struct Deletion: Encodable, Equatable { var id: String }

        struct Alteration: Encodable, Equatable {
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
        var patches: [Alteration] = []
        var posts: [Addition] = []

        var isEmpty: Bool { deletes.isEmpty && patches.isEmpty && posts.isEmpty }

        /// Goes by what stands now, which may be something else than when the plan was made.
        mutating func take(_ change: NameChange, present: [Record]) {
            var missing = change.after.addresses
            for record in present {
                guard let address = HostAddress(record.content), missing.remove(address) != nil else {
                    deletes.append(Deletion(id: record.id))
                    continue
                }
                if record.ttl != change.after.ttl || record.proxied == true {
                    patches.append(Alteration(id: record.id, ttl: change.after.ttl))
                }
            }
            posts += missing.sorted().map {
                Addition(
                    type: $0.recordType, name: change.name, content: $0.description, ttl: change.after.ttl)
            }
        }
    }
}

/// Why Cloudflare did not do it. The token is in none of them.
package enum CloudflareError: Error, Equatable, Sendable, CustomStringConvertible {
    case zoneID(String)
    case unreachable(String)
    case tooMany(seconds: Int?)
    case unreadable(String)
    case refused(status: Int, reasons: [String])

    package var description: String {
        switch self {
        case .zoneID(let text):
            "zone-id = \"\(text)\" in [dns] is no zone's id. It is 32 hexadecimal digits, on the zone's overview page."
        case .unreachable(let why):
            "Cloudflare's API cannot be reached: \(why)."
        case .tooMany(let seconds?):
            "Cloudflare takes no more requests for \(seconds) s. Wait, and look for what else uses this token."
        case .tooMany(nil):
            "Cloudflare takes no more requests for now. Wait some minutes, and look for what else uses this token."
        case .unreadable(let what):
            "What came back is not an answer of Cloudflare's API: \(what)."
        case .refused(let status, let reasons) where status == 401 || status == 403:
            """
            Cloudflare does not accept the token for this zone: \(reasons.joined(separator: "; ")). It needs the \
            permission Zone / DNS / Edit.
            """
        case .refused(let status, let reasons):
            "Cloudflare refuses (\(status)): \(reasons.joined(separator: "; "))."
        }
    }
}
