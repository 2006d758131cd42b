import Crypto
import FoundationEssentials

/// What is kept over restarts: the last three certificates, an account for each CA, and the ledger.
package struct CertificateStore: Sendable {
    private let files: any CertificateFiles
    private static let kept = 3
    private static let ledgerName = "ledger.json"
    private static let requestName = "renew-now"

    package init(_ files: any CertificateFiles) {
        self.files = files
    }

    // MARK: Certificates

    /// The newest whole certificate for these names, its time over or not, and what was found wrong and set aside.
    package func latest(for names: [String]) throws -> (certificate: IssuedCertificate?, setAside: [String]) {
        var setAside: [String] = []
        for name in try certificateNames().reversed() {
            guard let bytes = try files.read(name) else { continue }
            if let file = KeptFile(kind: "certificate", bytes), let parts = file.keyAndChain {
                do throws(CertificateFault) {
                    return (
                        try IssuedCertificate(
                            chainPEM: parts.chain, keyPEM: parts.key, names: names,
                            directory: file.facts["directory"] ?? "", now: nil), setAside
                    )
                } catch .otherNames {
                    // Whole, and of no use since the configuration changed: it ages out.
                    continue
                } catch {
                    // Torn or foreign: below.
                }
            }
            try files.rename(name, to: "bad-\(name)")
            setAside.append(name)
        }
        return (nil, setAside)
    }

    package func keep(_ certificate: IssuedCertificate) throws {
        let names = try certificateNames()
        let number = (names.last.flatMap(Self.number) ?? 0) + 1
        let file = KeptFile(
            kind: "certificate",
            facts: ["directory": certificate.directory, "names": certificate.names.joined(separator: " ")],
            pem: certificate.keyPEM + certificate.chainPEM)
        try files.replace(Self.name(number), with: file.bytes)
        for old in names.dropLast(Self.kept - 1) { try files.remove(old) }
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
        /// Nil until the CA has given it an address.
        package let url: String?
    }

    /// The account at a CA; a key without account the first time, kept before it is ever used.
    package func account(at directory: String) throws -> Account {
        if let bytes = try files.read(Self.accountName(directory)) {
            if let file = KeptFile(kind: "account", bytes), let key = try? AccountKey(pem: file.pem) {
                return Account(key: key, url: file.facts["account"])
            }
            try files.rename(Self.accountName(directory), to: "bad-\(Self.accountName(directory))")
        }
        let account = Account(key: AccountKey(), url: nil)
        try keep(account, at: directory)
        return account
    }

    package func keep(_ account: Account, at directory: String) throws {
        var facts = ["directory": directory]
        facts["account"] = account.url
        let file = KeptFile(kind: "account", facts: facts, pem: account.key.pem)
        try files.replace(Self.accountName(directory), with: file.bytes)
    }

    private static func accountName(_ directory: String) -> String {
        let hash = SHA256.hash(data: Array(directory.utf8)).prefix(8)
        return "account-\(hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()).pem"
    }

    // MARK: The ledger

    /// An unreadable ledger is set aside: it holds dates, and the worst that its loss can do is one early attempt.
    package func ledger() throws -> Ledger {
        guard let bytes = try files.read(Self.ledgerName) else { return Ledger() }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        if let ledger = try? decoder.decode(Ledger.self, from: Data(bytes)) { return ledger }
        try files.rename(Self.ledgerName, to: "bad-\(Self.ledgerName)")
        return Ledger()
    }

    package func keep(_ ledger: Ledger) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try files.replace(Self.ledgerName, with: Array(try encoder.encode(ledger)))
    }

    // MARK: An operator's wish

    /// Asks whoever keeps the certificate for a new one, from another process.
    package func requestRenewal() throws { try files.replace(Self.requestName, with: []) }
    package func isRenewalRequested() throws -> Bool { try files.read(Self.requestName) != nil }
    package func settleRequest() throws { try files.remove(Self.requestName) }
}

extension KeptFile {
    /// The key is the first block.
    fileprivate var keyAndChain: (key: String, chain: String)? {
        guard let begin = pem.firstRange(of: "-----BEGIN CERTIFICATE-----") else { return nil }
        return (String(pem[..<begin.lowerBound]), String(pem[begin.lowerBound...]))
    }
}
