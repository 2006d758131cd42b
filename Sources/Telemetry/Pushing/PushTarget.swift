import Encoding
import FoundationEssentials
package import NIOSSL
import Outbound

/// A heartbeat target. Its URL is a credential, so its descriptions contain only scheme, host and port.
package struct PushTarget: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Scheme, host and port: what may be logged.
    package let origin: String
    /// Configuration with certificates that replace the system's, for a private monitor. Nil for the system's.
    package let tls: TLSConfiguration?
    private let path: String
    /// Other query parameters, unchanged.
    private let kept: [String]

    package var description: String { origin }
    package var debugDescription: String { origin }
    package var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }

    /// Reads the push URL in the first line of a file.
    ///
    /// - Parameters:
    ///   - file: Contains a push URL, as the monitor shows it.
    ///   - trust: Contains certificates in PEM.
    /// - Throws: `PushTargetError`, which names the file and nothing of its content.
    package init(file: String, trust: String? = nil) throws(PushTargetError) {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { throw .unreadable(file: file) }
        let words = text.prefix { !$0.isNewline }.split { $0 == " " || $0 == "\t" }
        let line = words.count == 1 ? String(words[0]) : ""
        guard line.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), let parts = URLComponents(string: line),
            let scheme = parts.scheme?.lowercased(), let host = parts.encodedHost?.lowercased(), !host.isEmpty,
            scheme == "https" || scheme == "http", (1...65_535).contains(parts.port ?? 443)
        else { throw .notAURL(file: file) }
        guard parts.user == nil, parts.password == nil else { throw .hasUser(file: file) }
        let isLoopback = ["localhost", "127.0.0.1", "[::1]"].contains(host)
        guard scheme == "https" || isLoopback else { throw .notEncrypted(file: file) }
        origin = "\(scheme)://\(host):\(parts.port ?? (scheme == "https" ? 443 : 80))"
        path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        // Uptime Kuma shows its URL with these three parameters, to be filled in.
        kept = zip(parts.percentEncodedQueryItems ?? [], parts.queryItems ?? []).compactMap { written, meant in
            guard !["status", "msg", "ping", ""].contains(meant.name) else { return nil }
            return written.value.map { "\(written.name)=\($0)" } ?? written.name
        }
        tls = if let trust { try Self.configuration(trusting: trust) } else { nil }
    }

    /// The address of one push. It contains the token: for the request only.
    package func address(_ query: PushQuery) -> String {
        let ours = [
            "status=\(query.status.rawValue)", "msg=\(PercentEncoding.encode(query.message))", "ping=\(query.pingText)",
        ]
        return "\(origin)\(path)?\((kept + ours).joined(separator: "&"))"
    }

    private static func configuration(trusting file: String) throws(PushTargetError) -> TLSConfiguration {
        guard let bytes = try? Data(contentsOf: URL(filePath: file)) else { throw .unreadable(file: file) }
        do {
            return try TrustRoots.pem(Array(bytes)).tlsConfiguration()
        } catch {
            throw .notCertificates(file: file)
        }
    }
}
