import ArgumentParser
import Files
import Monitor
import Serving

/// Whether those who are to be told can be.
struct ChannelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel", abstract: "List the channels, and try one.", subcommands: [List.self, Test.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the channels of a configuration, and its routes.")

        @Option(help: "The TOML file of `serve`.") var config: String

        func run() throws {
            let settings = try Settings.notifications(in: try SettingsTable(config))
            for channel in settings.channels {
                let routes = settings.routes.filter { $0.channel == channel.name }.map { route in
                    let severities = Severity.allCases.filter(route.severities.contains).map(\.rawValue)
                    return severities.joined(separator: ", ") + (route.after > 0 ? " after \(route.after) s" : "")
                }
                print("\(channel.name)  \(routes.isEmpty ? "no route" : routes.joined(separator: "; "))")
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test to a channel: something that opens, and its end.",
            discussion: "Exit status 1 when a recipient did not take it. A running monitor is not needed.")

        @Option(help: "The TOML file of `serve`.") var config: String
        @Option(help: "Certificates to trust, in PEM, for a service of one's own.") var caFile: String?
        @Argument var name: String

        func run() async throws {
            let table = try SettingsTable(config)
            let settings = try Settings.notifications(in: table)
            let trusted = try caFile.map { Array(try File.read($0, most: 1 << 20).utf8) }
            let web = try WebSender(trustedPEM: trusted, proxy: try Settings.proxy(in: table))
            let senders: [ChannelSender]
            do {
                senders = try ChannelFactory(web: web, mail: try MailSender(trustedPEM: trusted)).senders(settings)
                    .filter { $0.channel == name }
                guard !senders.isEmpty else {
                    let names = settings.channels.map(\.name).joined(separator: ", ")
                    throw Failure("There is no channel \(name) in \(config). There are: \(names).")
                }
            } catch {
                try await web.shutdown()
                throw error
            }
            let outcomes = await ChannelTrial(senders, now: wallTime).run(name)
            for outcome in outcomes { print("\(outcome.line): \(outcome.error ?? "taken")") }
            try await web.shutdown()
            if outcomes.contains(where: { $0.error != nil }) { throw ExitCode(1) }
        }
    }
}
