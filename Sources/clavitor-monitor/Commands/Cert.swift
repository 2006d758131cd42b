import ArgumentParser
import Autocert
import ServerRuntime

struct CertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "Show and renew this monitor's certificate.",
        subcommands: [CertificateStatus<DataOptions>.self, CertificateRenewal<DataOptions>.self])
}

extension DataOptions: CertificateStoreOptions {
    static let program = "clavitor-monitor"
    static let noun = "monitor"

    func certificates() throws -> CertificateStore {
        _ = try store()
        return CertificateStore(try DiskFiles(CertificatePaths(data: data).folder))
    }
}
