import ArgumentParser
import AsyncHTTPClient
import FoundationEssentials
import Monitor
import NIOCore
import NIOHTTP1
import NIOSSL
import Serving

/// The fleet in a terminal, with the exit codes of Nagios' plugins.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Print the fleet; exit 0 when all is well, 1 on warnings, 2 on a SEV, 3 when the monitor does not answer.")

    @OptionGroup var address: AddressOptions
    @Option(help: "A file with a token of `clavitor-monitor token`.") var tokenFile: String
    @Option(help: "Certificates to trust, in PEM, instead of the system's.") var caFile: String?
    @Flag(help: "As the API's JSON.") var json = false

    func run() async throws {
        let answer: [UInt8]
        do {
            answer = try await fetch()
        } catch {
            print("UNKNOWN - \(error)")
            throw ExitCode(3)
        }
        let fleet = try JSONDecoder().decode(FleetView.self, from: Data(answer))
        let summary = FleetSummary(fleet)
        print(json ? String(decoding: answer, as: UTF8.self) : summary.text)
        if summary.code != 0 { throw ExitCode(summary.code) }
    }

    private func fetch() async throws -> [UInt8] {
        let token = String(decoding: try Data(contentsOf: URL(filePath: tokenFile)), as: UTF8.self)
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = .makeClientConfiguration()
        if let caFile { configuration.tlsConfiguration?.trustRoots = .file(caFile) }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            var request = HTTPClientRequest(url: "\(address.url)/api/v1/fleet")
            request.headers.add(name: "Authorization", value: "Bearer \(token.prefix { $0 != "\n" })")
            let response = try await client.execute(request, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: 64 << 20)
            guard response.status == .ok else { throw Failure("the monitor answers \(response.status.code)") }
            try await client.shutdown()
            return Array(body.readableBytesView)
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}

/// What there is to say of a fleet in a terminal.
struct FleetSummary {
    let text: String
    let code: Int32

    init(_ fleet: FleetView) {
        let told = fleet.incidents.filter { $0.hiddenBy == nil }
        let worst = told.map(\.severity).max()
        let (word, code): (String, Int32) =
            switch worst {
            case nil: ("OK", 0)
            case .warning?: ("WARNING", 1)
            case .sev2?, .sev1?: ("CRITICAL", 2)
            }
        self.code = code
        let up = fleet.nodes.count { $0.state == .up }
        let incidents = told.count == 1 ? "1 open incident" : "\(told.count) open incidents"
        var lines = ["\(word) - \(up) of \(fleet.nodes.count) nodes up, \(incidents)"]
        let width = fleet.nodes.map(\.name.count).max() ?? 0
        for node in fleet.nodes {
            let name = node.name + String(repeating: " ", count: width - node.name.count)
            let age = node.lastBeat.map { "\(max(0, fleet.now - $0) / 1_000) s ago" } ?? "never"
            lines.append("  \(name)  \(node.state.rawValue)  last beat \(age)")
        }
        for incident in told {
            lines.append(
                "\(incident.severity.rawValue.uppercased())  \(incident.title). \(incident.detail)"
                    + (incident.acknowledged.map { " Acknowledged by \($0.by)." } ?? ""))
        }
        // What nodes say of themselves must neither end a line nor colour a terminal.
        text = lines.map { String($0.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }) }
            .joined(separator: "\n")
    }
}
