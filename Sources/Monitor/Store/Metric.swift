/// The heartbeat values that are stored over time, in storage order. New ones are appended.
package enum Metric: Int, CaseIterable, Sendable {
    case cpu, memory, disk, database, sessions, requests, errors, latency, connections, certificate, ping, load

    /// Name as in the heartbeat, where it has one.
    package var name: String {
        switch self {
        case .cpu: "cpu_pct"
        case .memory: "ram_pct"
        case .disk: "disk_pct"
        case .database: "db_size_mb"
        case .sessions: "active_sessions"
        case .requests: "req_1h"
        case .errors: "err_1h"
        case .latency: "p99_ms"
        case .connections: "conns"
        case .certificate: "cert_days_remaining"
        case .ping: "ping_ms"
        case .load: "load_1m"
        }
    }
}
