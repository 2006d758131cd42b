package import ArgumentParser
package import Autocert

/// A program's options from which its certificate store follows.
package protocol CertificateStoreOptions: ParsableArguments {
    /// The program's name.
    static var program: String { get }
    /// A noun for the program, such as "node".
    static var noun: String { get }

    func certificates() throws -> CertificateStore
}

package struct CertificateStatus<Options: CertificateStoreOptions>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status", abstract: "Show the certificate, its expiry and the next renewal.",
            discussion: "Exits with 1 when there is no unexpired certificate.")
    }

    @OptionGroup var options: Options
    @Flag(help: "Print one JSON object.") var json = false

    package init() {}

    package func run() async throws {
        let report = try CertificateReport(try options.certificates())
        print(json ? try report.json : report.text)
        if !report.isGood { throw ExitCode(1) }
    }
}

package struct CertificateRenewal<Options: CertificateStoreOptions>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "renew", abstract: "Request a new certificate regardless of the current expiry.",
            discussion: "The \(Options.noun) that serves this data directory starts the renewal within ten seconds.")
    }

    @OptionGroup var options: Options

    package init() {}

    package func run() async throws {
        try options.certificates().requestRenewal()
        print("Renewal requested. `\(Options.program) cert status` shows the result.")
    }
}
