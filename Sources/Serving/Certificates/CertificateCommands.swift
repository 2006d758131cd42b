package import ArgumentParser
package import Autocert

/// A program's options that say where its certificate is kept.
package protocol CertificateKeeping: ParsableArguments {
    /// As it is called.
    static var program: String { get }
    /// As people say it.
    static var noun: String { get }

    func certificates() throws -> CertificateStore
}

package struct CertificateStatus<Options: CertificateKeeping>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status", abstract: "Say what there is, until when, and what comes next.",
            discussion: "Ends with 1 when there is no certificate whose time is not over.")
    }

    @OptionGroup var options: Options
    @Flag(help: "One JSON object.") var json = false

    package init() {}

    package func run() async throws {
        let report = try CertificateReport(try options.certificates())
        print(json ? try report.json : report.text)
        if !report.isGood { throw ExitCode(1) }
    }
}

package struct CertificateRenewal<Options: CertificateKeeping>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "renew", abstract: "Ask for a new certificate, whatever the old one has left.",
            discussion: "The \(Options.noun) that serves this data directory takes the wish up within ten seconds.")
    }

    @OptionGroup var options: Options

    package init() {}

    package func run() async throws {
        try options.certificates().requestRenewal()
        print("Asked. `\(Options.program) cert status` shows when it is done.")
    }
}
