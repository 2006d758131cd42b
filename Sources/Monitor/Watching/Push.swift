import Crypto
import Encoding
import FoundationEssentials
import Wire

/// Parses a push: Uptime Kuma's three query parameters, and a heartbeat as the body if the client is ours.
///
/// It follows Uptime Kuma (server/routers/api-router.js): any method, `status` is up unless it says otherwise, `ping`
/// in milliseconds. A valid token is a sign of life whatever the rest contains: unreadable parts are ignored and
/// reported.
package enum Push {
    /// Maximum size of a body.
    package static let maxBytes = 16_384

    /// The parsed push, and what could not be parsed.
    package struct Reading: Equatable, Sendable {
        package var beat: Beat
        /// What is wrong with the push, for the person who configured it; nil when nothing is.
        package var parseError: String?

        package init(beat: Beat = Beat(), parseError: String? = nil) {
            self.beat = beat
            self.parseError = parseError
        }
    }

    /// Parses a push.
    ///
    /// `body`: Nil when it was too large.
    /// `signature`: Of the body, in base64url.
    ///
    /// - Throws: `PushRejection.otherNode` for a heartbeat of another node: its token was copied. `PushRejection.badSignature`.
    package static func read(
        status: String?, msg: String?, ping: String?, body: [UInt8]?, signature: String? = nil, of node: String
    ) throws(PushRejection) -> Reading {
        var reading = Reading()
        if let ping, !ping.isEmpty {
            if let value = Double(ping), (0...1e11).contains(value) {
                reading.beat.ping = value
            } else {
                reading.parseError = "ping must be a number of milliseconds, 0 or more."
            }
        }
        if let status, status != "up" { reading.beat.healthProblem = String((msg ?? "down").prefix(250)) }
        guard let body, body.count <= maxBytes else {
            reading.parseError = "A heartbeat must have at most \(maxBytes) bytes."
            return reading
        }
        guard !body.isEmpty else { return reading }
        let heartbeat: Heartbeat
        do {
            heartbeat = try JSONDecoder().decode(Heartbeat.self, from: Data(body))
        } catch {
            reading.parseError = "The body is not a heartbeat: \(reason(error))"
            return reading
        }
        guard heartbeat.node == node else { throw .otherNode(String(heartbeat.node.prefix(64))) }
        reading.beat.key = try verifiedKey(of: heartbeat, body, signature)
        if let parseError = parseError(of: heartbeat) {
            reading.parseError = parseError
            return reading
        }
        // A planned stop is reported to a stock Kuma as down, and is not a health problem.
        if heartbeat.phase == .stopping { reading.beat.healthProblem = nil }
        reading.beat.body = heartbeat
        return reading
    }

    /// The key under which a heartbeat is signed; nil for one that names none.
    private static func verifiedKey(
        of heartbeat: Heartbeat, _ body: [UInt8], _ signature: String?
    ) throws(PushRejection) -> String? {
        guard let text = heartbeat.key else { return nil }
        guard let bytes = Base64URL.decode(text), let signed = signature.flatMap({ Base64URL.decode($0) }),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes),
            key.isValidSignature(signed, for: HeartbeatSignature.message(body))
        else { throw .badSignature }
        return text
    }

    private static func reason(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: return "\(key.stringValue) is missing."
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            return "\(path(context)) has the wrong type."
        case .dataCorrupted(let context)? where !context.codingPath.isEmpty: return "\(path(context)) is out of range."
        default: return "it is not JSON, or a count is not an integer."
        }
    }

    /// Checks bounds: an impossible value is an error to report, not a point on a chart.
    private static func parseError(of beat: Heartbeat) -> String? {
        let shares = [("ram_pct", beat.ramPct), ("disk_pct", beat.diskPct), ("cpu_pct", beat.cpuPct)]
        for (name, value) in shares where !(0...100.5).contains(value ?? 0) {
            return "\(name) must be between 0 and 100."
        }
        let sizes: [(String, Double)] = [
            ("ram_mb", beat.ramMB ?? 0), ("disk_mb", beat.diskMB ?? 0), ("db_size_mb", beat.dbSizeMB),
            ("p99_ms", beat.p99MS ?? 0),
            ("rss_mb", beat.rssMB ?? 0), ("load_1m", beat.load1m ?? 0), ("swap_mb", beat.swapMB ?? 0),
            ("cert_lifetime_days", beat.certLifetimeDays ?? 0),
        ]
        for (name, value) in sizes where !(0...1e9).contains(value) { return "\(name) is out of range." }
        let counts: [(String, Int64)] = [
            ("active_sessions", Int64(beat.activeSessions)), ("req_1h", Int64(beat.req1h)),
            ("err_1h", Int64(beat.err1h)),
            ("nix_gen", Int64(beat.nixGen)), ("uptime_s", beat.uptimeS ?? 0), ("seq", beat.seq ?? 0),
            ("audit_seq", beat.auditSeq ?? 0), ("audit_epoch", beat.auditEpoch ?? 0), ("audit_at", beat.auditAt ?? 0),
            ("last_backup_age_s", beat.lastBackupAgeS ?? 0), ("conns", Int64(beat.conns ?? 0)),
            ("beats_dropped", beat.beatsDropped ?? 0), ("err_5xx_1h", Int64(beat.err5xx1h ?? 0)),
        ]
        for (name, value) in counts where !(0...1_000_000_000_000).contains(value) {
            return "\(name) is out of range."
        }
        guard (-100_000...100_000).contains(beat.certDaysRemaining ?? 0) else {
            return "cert_days_remaining is out of range."
        }
        // 2001 to 2286. Closer bounds are left to the clock rule, since a wrong clock is an incident and not a
        // malformed push.
        guard (1_000_000_000..<10_000_000_000).contains(beat.ts) else {
            return "ts must be Unix time in seconds."
        }
        let texts = [beat.dbIntegrity, beat.bootID, beat.version, beat.auditHead, beat.auditAtHash, beat.certError]
            .compactMap(\.self)
        return texts.allSatisfy { $0.utf8.count <= 1_000 } ? nil : "A text must have at most 1,000 bytes."
    }
}
