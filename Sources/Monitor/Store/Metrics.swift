import Wire

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

/// One value for each `Metric`; NaN for missing values.
struct Metrics: Equatable, Sendable {
    private(set) var values: [Float]

    init() { values = Array(repeating: .nan, count: Metric.allCases.count) }

    init(_ beat: Beat) {
        self.init()
        self[.ping] = beat.ping
        guard let body = beat.body else { return }
        self[.cpu] = body.cpuPct
        self[.memory] = body.ramPct
        self[.disk] = body.diskPct
        self[.database] = body.dbSizeMB
        self[.sessions] = Double(body.activeSessions)
        self[.requests] = Double(body.req1h)
        self[.errors] = Double(body.err1h)
        self[.latency] = body.p99MS
        self[.connections] = body.conns.map(Double.init)
        self[.certificate] = body.certDaysRemaining
        self[.load] = body.load1m
    }

    subscript(metric: Metric) -> Double? {
        get { values[metric.rawValue].isNaN ? nil : Double(values[metric.rawValue]) }
        set { values[metric.rawValue] = newValue.map(Float.init) ?? .nan }
    }

    // MARK: Encoding: four bytes each, little-endian

    init(bytes: [UInt8]) {
        self.init()
        for index in 0..<min(values.count, bytes.count / 4) {
            let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[index * 4 + $1]) << (8 * UInt32($1)) }
            values[index] = Float(bitPattern: word)
        }
    }

    var bytes: [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) } }
    }
}

/// Accumulates the mean of several `Metrics`.
struct MeanMetrics: Equatable, Sendable {
    private var sums = Array(repeating: 0.0, count: Metric.allCases.count)
    private var counts = Array(repeating: 0.0, count: Metric.allCases.count)
    private(set) var beats = 0

    init() {}

    /// `weight`: How many heartbeats the metrics represent.
    mutating func add(_ metrics: Metrics, weight: Int = 1) {
        beats += weight
        for (index, value) in metrics.values.enumerated() where !value.isNaN {
            sums[index] += Double(value) * Double(weight)
            counts[index] += Double(weight)
        }
    }

    var mean: Metrics {
        var metrics = Metrics()
        for metric in Metric.allCases where counts[metric.rawValue] > 0 {
            metrics[metric] = sums[metric.rawValue] / counts[metric.rawValue]
        }
        return metrics
    }
}
