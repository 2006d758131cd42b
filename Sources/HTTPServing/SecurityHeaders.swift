package import HTTPTypes
package import Hummingbird

/// Response headers that restrict what browsers do with a response.
package enum SecurityHeaders {
    /// Headers of every response that does not set its own: no framing, scripts, content sniffing, referrers or caching.
    package static let standard: [HTTPField] = [
        HTTPField(name: .cacheControl, value: "no-store"),
        HTTPField(
            name: .contentSecurityPolicy,
            value: "\([.defaultSrc(.none), .frameAncestors(.none)] as ContentSecurityPolicy)"),
        strictTransport,
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
        HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
    ]

    /// One year of HTTPS only (RFC 6797 section 6.1).
    package static let strictTransport = HTTPField(name: .strictTransportSecurity, value: "max-age=31536000")
}

extension Response {
    /// Adds the standard headers that the response does not have yet.
    package mutating func addSecurityHeaders() {
        for field in SecurityHeaders.standard where !headers.contains(field.name) { headers.append(field) }
    }
}

extension HTTPField.Name {
    // Valid field names.
    // swift-format-ignore: NeverForceUnwrap
    package static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    // swift-format-ignore: NeverForceUnwrap
    package static let host = HTTPField.Name("Host")!
}
