import Autocert
import Files
import Synchronization

/// A certificate and a key in two files that somebody else renews.
final class CertificateFilePair: Sendable {
    private let certificate: String
    private let key: String
    private let served: ServedCertificates
    private let read = Mutex<[String]>([])

    init(certificate: String, key: String, served: ServedCertificates) {
        self.certificate = certificate
        self.key = key
        self.served = served
    }

    /// Reads the files and serves what is in them, if they have changed. What cannot be served is an error, and what is
    /// served stays; two files are never replaced at the same moment, so the next look may find them fit.
    func reload() throws -> Bool {
        let texts = [try Self.text(certificate), try Self.text(key)]
        guard texts != read.withLock({ $0 }) else { return false }
        served.install(try Self.servable(texts, certificate, key))
        read.withLock { $0 = texts }
        return true
    }

    static func read(_ certificate: String, _ key: String) throws -> ServableCertificate {
        try servable([try text(certificate), try text(key)], certificate, key)
    }

    private static func text(_ path: String) throws -> String {
        do {
            return try File.read(path, most: 1 << 20)
        } catch {
            throw Failure("\(error)")
        }
    }

    private static func servable(_ texts: [String], _ certificate: String, _ key: String) throws -> ServableCertificate
    {
        do throws(ServableCertificate.LoadError) {
            return try ServableCertificate(certificatePEM: Array(texts[0].utf8), privateKeyPEM: Array(texts[1].utf8))
        } catch {
            throw Failure("The certificate in \(certificate) with the key in \(key) cannot be used: \(error)")
        }
    }
}
