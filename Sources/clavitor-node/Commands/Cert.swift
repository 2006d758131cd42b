import ArgumentParser
import Autocert
import Files
import FoundationEssentials
import NodeCore
import ServerRuntime
import Vault
import VaultFormat

struct Cert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show, renew or revoke the node's certificate.",
        subcommands: [CertificateStatus<DataOptions>.self, CertificateRenewal<DataOptions>.self, Revoke.self])

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke the certificate at the CA, and request one with a new key.")

        @OptionGroup var options: DataOptions
        @Flag(help: "State that the private key is compromised.") var keyCompromise = false
        @Option(help: "PEM file with trusted certificates for the directory of a private CA.") var acmeCaFile: String?

        func run() async throws {
            let store = try options.certificates()
            guard let certificate = try store.latest(for: []).certificate else {
                throw Failure("There is no certificate to revoke in \(options.directory.certificates.folder).")
            }
            let trusted = try acmeCaFile.map { Array(try File.read($0, most: 1 << 20).utf8) }
            let web = try ACMEHTTPClient(trustedPEM: trusted)
            let account = try store.account(at: certificate.directory)
            let client = ACMEClient(
                directory: certificate.directory, key: account.key, account: account.url, now: { Date() },
                transport: { (request) async throws(ACMEError) in try await web.send(request) })
            do {
                // RFC 5280 section 5.3.1: key compromise is 1, superseded 4.
                try await client.revoke(der: try certificate.der, reason: keyCompromise ? 1 : 4)
            } catch {
                try? await web.shutdown()
                throw Failure("\(error)")
            }
            try await web.shutdown()
            try store.requestRenewal()
            _ = try await options.directory.ask(.record(.certificateRevoked(serial: certificate.serial)))
            print(
                "Revoked \(certificate.serial). The node that serves this directory requests a new certificate within ten seconds."
            )
        }
    }
}

extension DataOptions: CertificateStoreOptions {
    static let program = "clavitor-node"
    static let noun = "node"

    func certificates() throws -> CertificateStore {
        guard File.exists(directory.database) else {
            throw Failure("There is no vault in \(directory.path). Create one with `clavitor-node init`.")
        }
        return CertificateStore(try DiskFiles(directory.certificates.folder))
    }
}
