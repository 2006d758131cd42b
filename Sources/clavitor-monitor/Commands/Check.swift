import ArgumentParser
import AsyncHTTPClient
import Console
import Files
import FoundationEssentials
import Monitor
import NIOCore
import NIOHTTP1
import Outbound
import ServerRuntime

/// Prints the fleet's state, with the exit codes of Nagios plugins.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Print the fleet's state; exit 0 when healthy, 1 on warnings, 2 on a SEV, 3 when the monitor does not respond."
    )

    @OptionGroup var address: AddressOptions
    @Option(help: "File with a token of `clavitor-monitor token add`.") var tokenFile: String
    @Option(help: "Certificates to trust, in PEM, instead of the system's.") var caFile: String?
    @Flag(help: "Print the API's JSON.") var json = false

    func run() async throws {
        let answer: [UInt8]
        do {
            answer = try await fetch()
        } catch {
            let reason = error is Failure ? "\(error)" : "\(address.url) cannot be reached: \(TransportFault(error))"
            print("UNKNOWN - \(reason)")
            throw ExitCode(3)
        }
        guard let fleet = try? JSONDecoder().decode(FleetView.self, from: Data(answer)) else {
            print("UNKNOWN - \(address.url) does not respond like a clavitor-monitor of this version")
            throw ExitCode(3)
        }
        let summary = FleetSummary(fleet)
        print(json ? String(decoding: answer, as: UTF8.self) : summary.text)
        if summary.code != 0 { throw ExitCode(summary.code) }
    }

    private func fetch() async throws -> [UInt8] {
        guard let token = try? File.read(tokenFile, most: 1 << 16) else {
            throw Failure(
                "\(tokenFile) cannot be read. `clavitor-monitor token add NAME --read-only --data DIR` prints a token for it."
            )
        }
        let configuration: HTTPClient.Configuration
        do {
            configuration = try .outbound(trusting: TrustRoots(file: caFile))
        } catch {
            throw Failure("\(error).")
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            var request = HTTPClientRequest(url: "\(address.url)/api/v1/fleet")
            request.headers.add(name: "Authorization", value: "Bearer \(token.prefix { $0 != "\n" })")
            let response = try await client.execute(request, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: 64 << 20)
            guard response.status != .unauthorized else {
                throw Failure("the monitor rejects the token in \(tokenFile); it may have expired.")
            }
            guard response.status == .ok else {
                throw Failure("the monitor responded with status \(response.status.code)")
            }
            try await client.shutdown()
            return Array(body.readableBytesView)
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}

/// Summary of a fleet for a terminal.
struct FleetSummary {
    let text: String
    let code: Int32
    /// Maximum number of incidents in the first line.
    private static let maxNamed = 5

    init(_ fleet: FleetView) {
        let active = fleet.incidents.filter { $0.inhibitedBy == nil }
        // An unhealthy monitor, or one without nodes, says nothing about the fleet.
        let notes =
            fleet.healthProblems.map { "The monitor: \($0)." }
            + (fleet.evaluationPaused ? ["The monitor's evaluation is paused."] : [])
            + (fleet.nodes.isEmpty ? ["The monitor has no nodes."] : [])
        let (word, code): (String, Int32) =
            switch active.map(\.severity).max() {
            case .sev2?, .sev1?: ("CRITICAL", 2)
            case _ where !fleet.healthProblems.isEmpty: ("CRITICAL", 2)
            case .warning?: ("WARNING", 1)
            case nil: notes.isEmpty ? ("OK", 0) : ("WARNING", 1)
            }
        self.code = code
        let up = fleet.nodes.count { $0.state == .up }
        // Text messages have room for the first line only: it names what is wrong, and where.
        let worst = active.sorted { ($0.severity, $1.opened) > ($1.severity, $0.opened) }
        let named = worst.prefix(Self.maxNamed).map { "\($0.severity.rawValue.uppercased()) \($0.title)" }
        let rest = worst.count > named.count ? ["and \(worst.count - named.count) more"] : []
        let summary = ["\(up) of \(fleet.nodes.count) nodes up"] + named + rest + fleet.healthProblems
        let statistics =
            ["up=\(up);;;0;\(fleet.nodes.count)"]
            + Severity.allCases.map { severity in "\(severity.rawValue)=\(active.count { $0.severity == severity });;;0"
            }
        var lines = ["\(word) - \(summary.joined(separator: "; "))"] + notes
        let width = fleet.nodes.map(\.name.count).max() ?? 0
        for node in fleet.nodes {
            let name = node.name + String(repeating: " ", count: width - node.name.count)
            let age = node.lastBeat.map { "\(max(0, fleet.now - $0) / 1_000) s ago" } ?? "never"
            lines.append("  \(name)  \(node.state.rawValue)  last heartbeat \(age)")
        }
        for incident in active {
            lines.append(
                "\(incident.severity.rawValue.uppercased())  \(incident.title). \(incident.detail)"
                    + (incident.acknowledged.map { " Acknowledged by \($0.by)." } ?? ""))
        }
        // Text from nodes must neither end a line nor color a terminal. A bar separates performance data
        // (monitoring-plugins.org, guidelines, "Plugin Output").
        var plain = lines.map { $0.printable.replacing("|", with: "¦") }
        plain[0] += " | " + statistics.joined(separator: " ")
        text = plain.joined(separator: "\n")
    }
}
