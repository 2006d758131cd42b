import FoundationEssentials
import Wire

/// Why a push is not taken.
package enum PushRefusal: Error, Equatable, Sendable {
    case unknownToken
    case tooMany
    case otherNode(String)
    case replayed

    package var status: Int {
        switch self {
        case .unknownToken: 404
        case .tooMany: 429
        case .otherNode: 400
        case .replayed: 409
        }
    }

    package var text: String {
        switch self {
        case .unknownToken: "No monitor has this token."
        case .tooMany: "Too many pushes; one every few seconds is enough."
        case .otherNode(let name): "This token does not belong to \(name)."
        case .replayed: "This beat, or a later one, was here before."
        }
    }
}

/// What a pusher sends: Uptime Kuma's three query parameters, and a heartbeat as the body if it is one of ours.
///
/// As Uptime Kuma reads them (server/routers/api-router.js): any method, `status` up unless it says otherwise, `ping` in
/// milliseconds. The right token is a sign of life whatever comes with it: what cannot be read is left out and shown.
package enum Push {
    /// Bytes of a body.
    package static let most = 16_384

    /// What was read, and what could not be.
    package struct Reading: Equatable, Sendable {
        package var beat: Beat
        /// What is wrong with the push, for whoever set it up; nil when nothing is.
        package var flaw: String?

        package init(beat: Beat = Beat(), flaw: String? = nil) {
            self.beat = beat
            self.flaw = flaw
        }
    }

    /// `body`: Nil for one that was too large.
    ///
    /// - Throws: `PushRefusal.otherNode` for a heartbeat of another node: its token was taken along.
    package static func read(
        status: String?, msg: String?, ping: String?, body: [UInt8]?, of node: String
    ) throws(PushRefusal) -> Reading {
        var reading = Reading()
        if let ping, !ping.isEmpty {
            if let value = Double(ping), (0...1e11).contains(value) {
                reading.beat.ping = value
            } else {
                reading.flaw = "ping is a number of milliseconds, 0 or more."
            }
        }
        if let status, status != "up" { reading.beat.ill = String((msg ?? "down").prefix(250)) }
        guard let body, body.count <= most else {
            reading.flaw = "A heartbeat has at most \(most) bytes."
            return reading
        }
        guard !body.isEmpty else { return reading }
        let heartbeat: Heartbeat
        do {
            heartbeat = try JSONDecoder().decode(Heartbeat.self, from: Data(body))
        } catch {
            reading.flaw = "The body is no heartbeat: \(reason(error))"
            return reading
        }
        guard heartbeat.node == node else { throw .otherNode(String(heartbeat.node.prefix(64))) }
        if let flaw = flaw(of: heartbeat) {
            reading.flaw = flaw
            return reading
        }
        // What a planned stop says to a stock Kuma is no illness.
        if heartbeat.phase == .stopping { reading.beat.ill = nil }
        reading.beat.body = heartbeat
        return reading
    }

    private static func reason(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: return "\(key.stringValue) is missing."
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            return "\(path(context)) has another type."
        case .dataCorrupted(let context)? where !context.codingPath.isEmpty: return "\(path(context)) is out of range."
        default: return "it is not JSON, or a number that counts something is not whole."
        }
    }

    /// Bounds: a figure that cannot be true is a mistake to be heard of, not a point on a chart.
    private static func flaw(of beat: Heartbeat) -> String? {
        let shares = [("ram_pct", beat.ramPct), ("disk_pct", beat.diskPct), ("cpu_pct", beat.cpuPct)]
        for (name, value) in shares where !(0...100.5).contains(value ?? 0) {
            return "\(name) is not between 0 and 100."
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
            ("audit_seq", beat.auditSeq ?? 0), ("audit_epoch", beat.auditEpoch ?? 0),
            ("last_backup_age_s", beat.lastBackupAgeS ?? 0), ("conns", Int64(beat.conns ?? 0)),
            ("beats_dropped", beat.beatsDropped ?? 0), ("err_5xx_1h", Int64(beat.err5xx1h ?? 0)),
        ]
        for (name, value) in counts where !(0...1_000_000_000_000).contains(value) {
            return "\(name) is out of range."
        }
        guard (-100_000...100_000).contains(beat.certDaysRemaining ?? 0) else {
            return "cert_days_remaining is out of range."
        }
        // 2001 to 2286: nearer bounds are a rule's business, since a wrong clock is news and not nonsense.
        guard (1_000_000_000..<10_000_000_000).contains(beat.ts) else {
            return "ts is no Unix time in seconds."
        }
        let texts = [beat.dbIntegrity, beat.bootID, beat.version, beat.auditHead, beat.certError].compactMap(\.self)
        return texts.allSatisfy { $0.utf8.count <= 1_000 } ? nil : "A text is longer than 1,000 bytes."
    }
}
