import Wire

/// One value for each `Metric`; NaN for missing values.
package struct Metrics: Equatable, Sendable {
    package private(set) var values: [Float]

    package init() { values = Array(repeating: .nan, count: Metric.allCases.count) }

    package init(_ beat: Beat) {
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

    package subscript(metric: Metric) -> Double? {
        get { values[metric.rawValue].isNaN ? nil : Double(values[metric.rawValue]) }
        set { values[metric.rawValue] = newValue.map(Float.init) ?? .nan }
    }

    // MARK: Encoding: four bytes each, little-endian

    package init(bytes: [UInt8]) {
        self.init()
        for index in 0..<min(values.count, bytes.count / 4) {
            let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[index * 4 + $1]) << (8 * UInt32($1)) }
            values[index] = Float(bitPattern: word)
        }
    }

    package var bytes: [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) } }
    }
}
