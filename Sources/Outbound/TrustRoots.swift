package import NIOSSL

/// Which certificate authorities a client trusts.
package enum TrustRoots: Sendable {
    case system
    /// PEM certificates instead of the system's.
    case pem([UInt8])
    /// A file of them.
    case file(String)

    /// For options that may be left out.
    package init(file: String?) { self = file.map(Self.file) ?? .system }

    package init(pem: [UInt8]?) { self = pem.map(Self.pem) ?? .system }

    private var file: String? {
        switch self {
        case .file(let path): path
        case .system, .pem: nil
        }
    }

    /// A client's TLS settings: full verification of chain and name.
    ///
    /// - Throws: `TrustRootsError`.
    package func tlsConfiguration() throws(TrustRootsError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        let certificates: [NIOSSLCertificate]
        do {
            switch self {
            case .system: return configuration
            case .pem(let bytes): certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
            case .file(let path): certificates = try NIOSSLCertificate.fromPEMFile(path)
            }
        } catch {
            throw .notCertificates(file)
        }
        guard !certificates.isEmpty else { throw .notCertificates(file) }
        configuration.trustRoots = .certificates(certificates)
        return configuration
    }
}

package enum TrustRootsError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The file cannot be read, or has no PEM certificate. Nil for bytes.
    case notCertificates(String?)

    package var description: String {
        switch self {
        case .notCertificates(let file): "\(file ?? "The trusted certificates") cannot be read as PEM certificates"
        }
    }
}
