/// Validity period of a certificate, in Unix milliseconds.
package struct CertificateValidity: Equatable, Sendable {
    package let from: Int64
    package let until: Int64

    package init(from: Int64, until: Int64) {
        self.from = from
        self.until = until
    }
}
