import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Outbound
import Wire

/// The monitor's API, with a token out of a file.
package struct MonitorClient: FleetMonitor {
    private let name: String
    private let token: String
    private let exchange: HTTPSExchange

    /// Speaks with the monitor of that name.
    ///
    /// - Parameters:
    ///   - name: As its certificate has it.
    ///   - token: Of `clavitor-monitor token`.
    ///   - exchange: Knows the monitor's address.
    package init(name: String, token: String, exchange: HTTPSExchange) {
        self.name = name
        self.token = token
        self.exchange = exchange
    }

    package func fleet() async throws -> FleetReport {
        let report = try await send(.GET, "/api/v1/fleet", as: FleetReport.self)
        guard report.isPlausible else { throw MonitorError.notUnderstood("it has numbers that nothing can have") }
        return report
    }

    package func openLease(nodes: [String], reason: String, minutes: Int) async throws -> FleetReport.MaintenanceWindow
    {
        let body = LeaseBody(nodes: nodes, reason: reason, minutes: minutes)
        return try await send(.POST, "/api/v1/maintenance", body: body, as: FleetReport.MaintenanceWindow.self)
    }

    package func closeLease(_ id: Int64) async throws {
        do {
            _ = try await bytes(.DELETE, "/api/v1/maintenance/\(id)", nil)
        } catch MonitorError.refused(404, _) {}
    }

    private struct LeaseBody: Encodable {
        var nodes: [String]
        var reason: String
        var minutes: Int
    }

    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, body: (any Encodable)? = nil, as: Answer.Type
    ) async throws -> Answer {
        let answer = try await bytes(method, path, try body.map { Array(try JSONEncoder().encode($0)) })
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(answer))
        } catch {
            throw MonitorError.notUnderstood("\(error)")
        }
    }

    private func bytes(_ method: HTTPMethod, _ path: String, _ body: [UInt8]?) async throws -> [UInt8] {
        guard token.isVisibleASCII else { throw MonitorError.badToken }
        var request = HTTPClientRequest(url: "https://\(name)\(path)")
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body)
        }
        let answer = try await exchange.ask(request)
        switch answer.status {
        case 200..<300: return answer.body
        case 401: throw MonitorError.badToken
        default:
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body))
            let why = [problem?.title, problem?.detail].compactMap(\.self).joined(separator: ": ")
            throw MonitorError.refused(answer.status, why.isEmpty ? "no reason given" : why)
        }
    }
}

extension HTTPSExchange {
    /// What the monitor answers.
    ///
    /// - Throws: `MonitorError.unreachable`, `CancellationError`.
    func ask(_ request: HTTPClientRequest) async throws -> (status: Int, body: [UInt8]) {
        do {
            return try await send(request)
        } catch {
            try Task.checkCancellation()
            throw MonitorError.unreachable("\(TransportFault(error))")
        }
    }
}
