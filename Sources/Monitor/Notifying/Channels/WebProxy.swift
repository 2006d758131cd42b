import AsyncHTTPClient
import FoundationEssentials

/// An HTTP proxy for HTTPS by CONNECT (RFC 9110 section 9.3.6), as `HTTPS_PROXY` and `NO_PROXY` configure it.
package struct WebProxy: Sendable {
    package let host: String
    package let port: Int
    let authorization: HTTPClient.Authorization?
    /// Host names and domain suffixes that bypass the proxy, in lower case without a leading dot.
    private let exceptions: [String]
    private let bypassesAll: Bool

    /// Returns nil when no proxy is set. The lower-case variable names take precedence, as in curl.
    ///
    /// - Parameters:
    ///   - file: The text of a file with the address, which may contain a user and a password; takes precedence over
    ///     the environment.
    ///   - environment: Other users of the machine may read it: an address with a password is rejected.
    /// - Throws: What is wrong with the address, without a possible password.
    package init?(file: String?, environment: [String: String]) throws(WebProxyError) {
        let set = environment["https_proxy"] ?? environment["HTTPS_PROXY"] ?? ""
        let text = (file ?? set).trimmed
        guard !text.isEmpty else { return nil }
        let url = URL(string: text.contains("://") ? text : "http://\(text)")
        guard let url, let host = url.host(percentEncoded: false), !host.isEmpty else { throw .malformed }
        guard url.scheme?.lowercased() == "http" else { throw .scheme }
        let (user, password) = (url.user(percentEncoded: false), url.password(percentEncoded: false))
        guard file != nil || password == nil else { throw .passwordInEnvironment }
        self.host = host
        port = url.port ?? 8_080
        authorization = user.map { .basic(username: $0, password: password ?? "") }
        let list = (environment["no_proxy"] ?? environment["NO_PROXY"] ?? "").lowercased()
        let names = list.split { $0 == "," || $0.isWhitespace }.map { String($0.drop { $0 == "." }) }
        exceptions = names.filter { $0 != "*" }
        bypassesAll = names.contains("*")
    }

    /// Whether connections to a host use the proxy.
    package func serves(_ host: String) -> Bool {
        let host = host.lowercased()
        return !bypassesAll && !exceptions.contains { host == $0 || host.hasSuffix(".\($0)") }
    }
}

package enum WebProxyError: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed
    case scheme
    case passwordInEnvironment

    package var description: String {
        switch self {
        case .malformed: "The HTTPS proxy must be an address such as http://proxy.example.net:3128."
        case .scheme:
            "The HTTPS proxy must begin with http://: the connection to the proxy is not encrypted, the traffic through it is."
        case .passwordInEnvironment:
            "HTTPS_PROXY must not contain a password, because other users can read the environment; put the address into a file and name it with https-proxy-file."
        }
    }
}
