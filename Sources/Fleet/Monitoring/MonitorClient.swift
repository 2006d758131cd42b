import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Outbound
import Wire

/// Client of the monitor's API.
package struct MonitorClient: FleetMonitor {
    private let name: String
    private let token: String
    private let exchange: HTTPSExchange

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - name: The name in the monitor's certificate.
    ///   - token: A token of `clavitor-monitor token`.
    ///   - exchange: Must have the monitor's address.
    package init(name: String, token: String, exchange: HTTPSExchange) {
        self.name = name
        self.token = token
        self.exchange = exchange
    }

    package func fleet() async throws -> FleetReport {
        let report = try await send(.GET, "/api/v1/fleet", as: FleetReport.self)
        guard report.isPlausible else { throw MonitorError.invalidResponse("it has numbers out of range") }
        return report
    }

    package func openMaintenanceWindow(nodes: [String], reason: String, minutes: Int) async throws
        -> FleetReport.MaintenanceWindow
    {
        let body = MaintenanceWindowBody(nodes: nodes, reason: reason, minutes: minutes)
        return try await send(.POST, "/api/v1/maintenance", body: body, as: FleetReport.MaintenanceWindow.self)
    }

    package func closeMaintenanceWindow(_ id: Int64) async throws {
        do {
            _ = try await bytes(.DELETE, "/api/v1/maintenance/\(id)", nil)
        } catch MonitorError.refused(404, _) {}
    }

    private struct MaintenanceWindowBody: Encodable {
        var nodes: [String]
        var reason: String
        var minutes: Int
    }

    private func send<Output: Decodable>(
        _ method: HTTPMethod, _ path: String, body: (any Encodable)? = nil, as: Output.Type
    ) async throws -> Output {
        let output = try await bytes(method, path, try body.map { Array(try JSONEncoder().encode($0)) })
        do {
            return try JSONDecoder().decode(Output.self, from: Data(output))
        } catch {
            throw MonitorError.invalidResponse("\(error)")
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
        let response = try await exchange.sendToMonitor(request)
        switch response.status {
        case 200..<300: return response.body
        case 401: throw MonitorError.badToken
        default:
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body))
            let why = [problem?.title, problem?.detail].compactMap(\.self).joined(separator: ": ")
            throw MonitorError.refused(response.status, why.isEmpty ? "no reason given" : why)
        }
    }
}

extension HTTPSExchange {
    /// Sends a request to the monitor.
    ///
    /// - Throws: `MonitorError.unreachable`, `CancellationError`.
    func sendToMonitor(_ request: HTTPClientRequest) async throws -> (status: Int, body: [UInt8]) {
        do {
            return try await send(request)
        } catch {
            try Task.checkCancellation()
            throw MonitorError.unreachable("\(TransportFault(error))")
        }
    }
}
