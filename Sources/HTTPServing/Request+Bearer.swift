import HTTPTypes
package import Hummingbird

extension Request {
    /// The token of `Authorization: Bearer …` (RFC 6750 section 2.1); the scheme is case-insensitive. Nil when there is none.
    package var bearerToken: String? {
        guard let header = headers[.authorization] else { return nil }
        let scheme = "bearer "
        guard header.utf8.count > scheme.utf8.count, header.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        return String(header.dropFirst(scheme.count))
    }
}
