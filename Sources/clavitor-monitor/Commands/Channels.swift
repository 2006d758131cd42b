import ArgumentParser
import Files
import Monitor
import ServerRuntime

/// Lists and tests notification channels.
struct ChannelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel", abstract: "List and test notification channels.", subcommands: [List.self, Test.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the channels and routes of a configuration.")

        @Option(help: "TOML file of `serve`.") var config: String

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
            abstract: "Send a test incident and its resolution to a channel.",
            discussion: "Exit status 1 when a recipient did not accept it. Does not need a running monitor.")

        @Option(help: "TOML file of `serve`.") var config: String
        @Option(help: "Certificates to trust, in PEM, for private services.") var caFile: String?
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
                    throw Failure("There is no channel \(name) in \(config). The channels are: \(names).")
                }
            } catch {
                try await web.shutdown()
                throw error
            }
            let outcomes = await ChannelTester(senders, now: wallTime).run(name)
            for outcome in outcomes { print("\(outcome.recipient): \(outcome.error ?? "accepted")") }
            try await web.shutdown()
            if outcomes.contains(where: { $0.error != nil }) { throw ExitCode(1) }
        }
    }
}
