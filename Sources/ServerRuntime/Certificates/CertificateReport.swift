package import Autocert
package import FoundationEssentials

/// The state of the ACME certificate: names, issuer, expiry, next attempt and last error.
package struct CertificateReport: Encodable {
    private let names: [String]?
    private let issuer: String?
    private let serial: String?
    private let notAfter: Date?
    private let daysRemaining: Double?
    private let directory: String?
    private let nextAttempt: Date?
    private let lastError: String?
    private let lastErrorAt: Date?

    /// Whether there is an unexpired certificate.
    package var isGood: Bool { (daysRemaining ?? 0) > 0 }

    /// - Throws: When the store cannot be read.
    package init(_ store: CertificateStore, now: Date = Date()) throws {
        let certificate = try store.latest(for: []).certificate
        let record = try store.record()
        names = certificate?.names
        (issuer, serial, directory) = (certificate?.issuer, certificate?.serial, certificate?.directory)
        notAfter = certificate?.notAfter
        daysRemaining = certificate.map { ($0.notAfter.timeIntervalSince(now) / 864).rounded() / 100 }
        (nextAttempt, lastError, lastErrorAt) = (record.nextAttempt, record.lastError, record.lastErrorAt)
    }

    /// One line for each known value.
    package var text: String {
        let until = notAfter.map { "\($0.formatted(.iso8601)), \(daysRemaining ?? 0) days" }
        let lines: [(String, String?)] = [
            ("names", names?.joined(separator: " ") ?? "no certificate"), ("issuer", issuer),
            ("serial", serial), ("until", until), ("from", directory), ("next", nextAttempt?.formatted(.iso8601)),
            ("error", lastError),
        ]
        return lines.compactMap { name, value in
            value.map { "\(name)\(String(repeating: " ", count: max(1, 8 - name.count)))\($0)" }
        }.joined(separator: "\n")
    }

    /// One JSON object, with times in ISO 8601.
    package var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.dateEncodingStrategy = .iso8601
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
