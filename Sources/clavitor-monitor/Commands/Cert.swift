import ArgumentParser
import Autocert
import Files
import Serving

struct CertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "The certificate that a CA gave this monitor.",
        subcommands: [Status.self, Renew.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what there is, until when, and what comes next.",
            discussion: "Ends with 1 when there is no certificate whose time is not over.")

        @OptionGroup var options: DataOptions
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            let report = try CertificateReport(try CertCommand.store(options))
            print(json ? try report.json : report.text)
            if !report.isGood { throw ExitCode(1) }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask for a new certificate, whatever the old one has left.",
            discussion: "The monitor that serves this data directory takes the wish up within ten seconds.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            try CertCommand.store(options).requestRenewal()
            print("Asked. `clavitor-monitor cert status` shows when it is done.")
        }
    }

    private static func store(_ options: DataOptions) throws -> CertificateStore {
        _ = try options.store()
        return CertificateStore(try DiskFiles(CertificatePlaces(data: options.data).folder))
    }
}
