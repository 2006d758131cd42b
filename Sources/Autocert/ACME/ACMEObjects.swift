package import FoundationEssentials

/// A CA's directory of endpoints: RFC 8555 section 7.1.1.
package struct Directory: Decodable, Equatable, Sendable {
    let newNonce: String
    let newAccount: String
    let newOrder: String
    let revokeCert: String?
    let keyChange: String?
    /// RFC 9773 section 4. Nil for a CA without renewal information.
    let renewalInfo: String?
    let meta: Meta?

    struct Meta: Decodable, Equatable, Sendable {
        let termsOfService: String?
        let externalAccountRequired: Bool?
        /// Names and descriptions (draft-aaron-acme-profiles).
        let profiles: [String: String]?
    }
}

/// An order: RFC 8555 section 7.1.3.
package struct Order: Decodable, Equatable, Sendable {
    package let status: Status
    let authorizations: [String]
    let finalize: String
    let certificate: String?
    let error: ACMEProblem?

    package enum Status: String, Decodable, Sendable { case pending, ready, processing, valid, invalid }
}

/// An authorization for one name: RFC 8555 section 7.1.4.
package struct Authorization: Decodable, Equatable, Sendable {
    let identifier: Identifier
    let status: Status
    let challenges: [Challenge]

    enum Status: String, Decodable, Sendable { case pending, valid, invalid, deactivated, expired, revoked }

    package struct Identifier: Codable, Equatable, Sendable {
        let type: String
        let value: String

        init(dns name: String) {
            type = "dns"
            value = name
        }
    }
}

/// A challenge: RFC 8555 section 8. Unknown types may have other members, which are ignored.
package struct Challenge: Decodable, Equatable, Sendable {
    package let type: String
    let url: String
    package let token: String?
    let status: Authorization.Status?
    let error: ACMEProblem?

    private enum CodingKeys: String, CodingKey { case type, url, token, status, error }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decode(String.self, forKey: .type)
        url = try container.decode(String.self, forKey: .url)
        token = try container.decodeIfPresent(String.self, forKey: .token)
        // "processing" exists for challenges alone and means that the CA is still validating.
        status = (try? container.decodeIfPresent(Authorization.Status.self, forKey: .status)) ?? nil
        error = try container.decodeIfPresent(ACMEProblem.self, forKey: .error)
    }
}

/// The window in which a CA suggests to renew a certificate: RFC 9773 section 4.2.
package struct RenewalInfo: Equatable, Sendable {
    package let start: Date
    package let end: Date
    package let explanationURL: String?

    /// Nil for anything that is not a valid window: RFC 9773 requires a client to act as if there were none.
    init?(json bytes: [UInt8]) {
        struct Body: Decodable {
            struct Window: Decodable {
                let start: String
                let end: String
            }
            let suggestedWindow: Window
            let explanationURL: String?
        }
        guard let body = try? JSONDecoder().decode(Body.self, from: Data(bytes)),
            let start = Self.date(body.suggestedWindow.start), let end = Self.date(body.suggestedWindow.end),
            end > start
        else { return nil }
        self.init(start: start, end: end, explanationURL: body.explanationURL)
    }

    package init(start: Date, end: Date, explanationURL: String? = nil) {
        self.start = start
        self.end = end
        self.explanationURL = explanationURL
    }

    /// RFC 3339, with or without fractions of a second.
    private static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}

/// A CA's problem document: RFC 7807 with the types of RFC 8555 section 6.7.
package struct ACMEProblem: Error, Codable, Equatable, Sendable {
    package let type: String
    package let detail: String?
    package let status: Int?
    package let subproblems: [Subproblem]?

    package struct Subproblem: Codable, Equatable, Sendable {
        package let type: String
        package let detail: String?
        package let identifier: Authorization.Identifier?
    }

    package init(type: String, detail: String?, status: Int? = nil, subproblems: [Subproblem]? = nil) {
        self.type = type
        self.detail = detail
        self.status = status
        self.subproblems = subproblems
    }

    private static let prefix = "urn:ietf:params:acme:error:"

    /// The type without the ACME prefix, such as `rateLimited`; the whole type if it has another prefix.
    package var kind: String {
        type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type
    }

    package init(_ kind: String, _ detail: String) {
        self.init(type: Self.prefix + kind, detail: detail)
    }
}

extension ACMEProblem: CustomStringConvertible {
    package var description: String {
        let parts = (subproblems ?? []).map { "\($0.identifier?.value ?? "-"): \($0.detail ?? $0.type)" }
        return ([kind, detail].compactMap(\.self) + parts).joined(separator: ": ")
    }
}
