package import Autocert
import Files
import Synchronization

/// A certificate and its key in two files that another program renews.
package final class CertificateFilePair: Sendable {
    private let certificate: String
    private let key: String
    private let served: ServedCertificates
    private let read = Mutex<[String]>([])

    package init(certificate: String, key: String, served: ServedCertificates) {
        self.certificate = certificate
        self.key = key
        self.served = served
    }

    /// Serves the files' contents if they have changed. An unusable pair is an error and leaves the current certificate in
    /// service: two files are never replaced at the same instant, so the next reload may find a matching pair.
    package func reload() throws -> Bool {
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
