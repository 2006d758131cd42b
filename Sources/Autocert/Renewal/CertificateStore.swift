import Crypto
import Encoding
import FoundationEssentials

/// Persistent storage for the last three certificates, one account per CA, and the renewal record.
package struct CertificateStore: Sendable {
    private let files: any CertificateFiles
    private static let retainedCertificates = 3
    private static let recordName = "ledger.json"
    private static let requestName = "renew-now"

    package init(_ files: any CertificateFiles) {
        self.files = files
    }

    // MARK: Certificates

    /// The newest valid file's certificate for these names, expired or not, and the names of files quarantined as invalid.
    package func latest(for names: [String]) throws -> (certificate: IssuedCertificate?, quarantined: [String]) {
        var quarantined: [String] = []
        for name in try certificateNames().reversed() {
            guard let bytes = try files.read(name) else { continue }
            if let file = PEMFile(kind: "certificate", bytes), let parts = file.keyAndChain {
                do throws(CertificateError) {
                    return (
                        try IssuedCertificate(
                            chainPEM: parts.chain, keyPEM: parts.key, names: names,
                            directory: file.headers["directory"] ?? "", now: nil), quarantined
                    )
                } catch .missingNames {
                    // Valid, but the configured names have changed: retention removes it.
                    continue
                } catch {
                    // Invalid: quarantined below.
                }
            }
            try files.rename(name, to: "bad-\(name)")
            quarantined.append(name)
        }
        return (nil, quarantined)
    }

    package func save(_ certificate: IssuedCertificate) throws {
        let names = try certificateNames()
        let number = (names.last.flatMap(Self.number) ?? 0) + 1
        let file = PEMFile(
            kind: "certificate",
            headers: ["directory": certificate.directory, "names": certificate.names.joined(separator: " ")],
            pem: certificate.keyPEM + certificate.chainPEM)
        try files.replace(Self.name(number), with: file.bytes)
        for old in names.dropLast(Self.retainedCertificates - 1) { try files.remove(old) }
    }

    private func certificateNames() throws -> [String] {
        try files.names().filter { Self.number($0) != nil }.sorted()
    }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return "certificate-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).pem"
    }

    private static func number(_ name: String) -> Int? {
        guard name.hasPrefix("certificate-"), name.hasSuffix(".pem") else { return nil }
        return Int(name.dropFirst("certificate-".count).dropLast(".pem".count))
    }

    // MARK: Accounts

    package struct Account: Sendable {
        package let key: AccountKey
        /// Nil until the account is registered.
        package let url: String?
    }

    /// The account at a CA. The first time it is an unregistered key, saved before it is used.
    package func account(at directory: String) throws -> Account {
        if let bytes = try files.read(Self.accountName(directory)) {
            if let file = PEMFile(kind: "account", bytes), let key = try? AccountKey(pem: file.pem) {
                return Account(key: key, url: file.headers["account"])
            }
            try files.rename(Self.accountName(directory), to: "bad-\(Self.accountName(directory))")
        }
        let account = Account(key: AccountKey(), url: nil)
        try save(account, at: directory)
        return account
    }

    package func save(_ account: Account, at directory: String) throws {
        var headers = ["directory": directory]
        headers["account"] = account.url
        let file = PEMFile(kind: "account", headers: headers, pem: account.key.pem)
        try files.replace(Self.accountName(directory), with: file.bytes)
    }

    private static func accountName(_ directory: String) -> String {
        let hash = SHA256.hash(data: Array(directory.utf8)).prefix(8)
        return "account-\(Hexadecimal.encode(hash)).pem"
    }

    // MARK: Renewal record

    /// Loads the record. An unreadable one is quarantined: it holds dates, and losing it costs at most one early attempt.
    package func record() throws -> RenewalRecord {
        guard let bytes = try files.read(Self.recordName) else { return RenewalRecord() }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        if let record = try? decoder.decode(RenewalRecord.self, from: Data(bytes)) { return record }
        try files.rename(Self.recordName, to: "bad-\(Self.recordName)")
        return RenewalRecord()
    }

    package func save(_ record: RenewalRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try files.replace(Self.recordName, with: Array(try encoder.encode(record)))
    }

    // MARK: Renewal request

    /// Requests a renewal from the `CertificateRenewer`, which may run in another process.
    package func requestRenewal() throws { try files.replace(Self.requestName, with: []) }
    package func isRenewalRequested() throws -> Bool { try files.read(Self.requestName) != nil }
    package func clearRenewalRequest() throws { try files.remove(Self.requestName) }
}

extension PEMFile {
    /// Splits the PEM: the key is the first block.
    fileprivate var keyAndChain: (key: String, chain: String)? {
        guard let begin = pem.firstRange(of: "-----BEGIN CERTIFICATE-----") else { return nil }
        return (String(pem[..<begin.lowerBound]), String(pem[begin.lowerBound...]))
    }
}
