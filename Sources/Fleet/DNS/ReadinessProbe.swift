import NIOCore
import Outbound

extension HTTPSProbe {
    /// Requests `/readyz` of all nodes concurrently, over each address family that they have.
    ///
    /// - Parameters:
    ///   - nodes: The nodes to probe.
    ///   - timeout: For one response.
    ///   - port: HTTPS.
    /// - Returns: By name.
    package func results(
        of nodes: [Node], timeout: Duration = .seconds(4), port: Int = 443
    ) async -> [String: ProbeResult] {
        async let ipv6Results = results(of: nodes.filter { $0.publicIPv6 != nil }, over: ipv6, timeout, port)
        let results = await results(of: nodes, over: exchange, timeout, port)
        return Self.merge(results, await ipv6Results)
    }

    /// Combines the results. If no node responds over IPv6, this machine has no IPv6, and those results are ignored.
    package static func merge(_ ipv4: [String: ProbeResult], _ ipv6: [String: ProbeResult]) -> [String: ProbeResult] {
        guard ipv6.values.contains(.ready) else { return ipv4 }
        return ipv4.merging(ipv6) { ipv4, ipv6 in
            ipv4 == .ready && ipv6 != .ready ? .readyByIPv4("\(ipv6)") : ipv4
        }
    }

    private func results(
        of nodes: [Node], over exchange: HTTPSExchange?, _ timeout: Duration, _ port: Int
    ) async -> [String: ProbeResult] {
        guard let exchange else { return [:] }
        return await withTaskGroup(of: (String, ProbeResult).self) { group in
            for node in nodes {
                group.addTask { (node.name, await result(of: node, over: exchange, TimeAmount(timeout), port)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func result(
        of node: Node, over exchange: HTTPSExchange, _ timeout: TimeAmount, _ port: Int
    ) async -> ProbeResult {
        do {
            // The reasons in the body are ignored: the node also reports them to the monitor.
            let response = try await exchange.send(request("https://\(node.domain):\(port)/readyz"), within: timeout)
            return response.status == 200 ? .ready : .notReady(response.status)
        } catch {
            let fault = TransportFault(error)
            return fault.isAboutTheCertificate ? .badCertificate("\(fault)") : .unreachable("\(fault)")
        }
    }
}
