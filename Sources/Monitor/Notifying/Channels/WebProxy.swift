import AsyncHTTPClient
import FoundationEssentials

/// An HTTP proxy through which HTTPS goes by CONNECT (RFC 9110 section 9.3.6), as `HTTPS_PROXY` and `NO_PROXY` name it.
package struct WebProxy: Sendable {
    package let host: String
    package let port: Int
    let authorization: HTTPClient.Authorization?
    /// Names and ends of names that are reached directly, in lower case without a dot in front.
    private let exceptions: [String]
    private let reachesAllDirectly: Bool

    /// Nil when none is set. Both names are known in lower case too, which goes first, as curl has it.
    ///
    /// - Parameters:
    ///   - file: The text of a file with the address, which may hold a user and a password; goes before the environment.
    ///   - environment: Where anybody on the machine may read along: an address with a password is refused.
    /// - Throws: What is wrong with it, without what may be a password.
    package init?(file: String?, environment: [String: String]) throws(WebProxyError) {
        let set = environment["https_proxy"] ?? environment["HTTPS_PROXY"] ?? ""
        let text = (file ?? set).trimmed
        guard !text.isEmpty else { return nil }
        let url = URL(string: text.contains("://") ? text : "http://\(text)")
        guard let url, let host = url.host(percentEncoded: false), !host.isEmpty else { throw .malformed }
        guard url.scheme?.lowercased() == "http" else { throw .scheme }
        let (user, password) = (url.user(percentEncoded: false), url.password(percentEncoded: false))
        guard file != nil || password == nil else { throw .passwordInSight }
        self.host = host
        port = url.port ?? 8_080
        authorization = user.map { .basic(username: $0, password: password ?? "") }
        let list = (environment["no_proxy"] ?? environment["NO_PROXY"] ?? "").lowercased()
        let names = list.split { $0 == "," || $0.isWhitespace }.map { String($0.drop { $0 == "." }) }
        exceptions = names.filter { $0 != "*" }
        reachesAllDirectly = names.contains("*")
    }

    /// Whether a host is reached through it.
    package func serves(_ host: String) -> Bool {
        let host = host.lowercased()
        return !reachesAllDirectly && !exceptions.contains { host == $0 || host.hasSuffix(".\($0)") }
    }
}

package enum WebProxyError: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed
    case scheme
    case passwordInSight

    package var description: String {
        switch self {
        case .malformed: "The HTTPS proxy must be an address such as http://proxy.example.net:3128."
        case .scheme:
            "The HTTPS proxy must begin with http://: a proxy is asked in the clear, and what goes through it is not."
        case .passwordInSight:
            "HTTPS_PROXY holds a password that anybody reads who sees the environment; name a file with it as https-proxy-file."
        }
    }
}
