import NIOCore
import Outbound

extension HTTPSProbe {
    /// Asks nodes for `/readyz` as a client would, all at once.
    ///
    /// - Parameters:
    ///   - nodes: Who is asked.
    ///   - patience: For one answer.
    ///   - port: HTTPS.
    /// - Returns: By name.
    package func answers(
        of nodes: [Node], patience: Duration = .seconds(4), port: Int = 443
    ) async -> [String: ProbeAnswer] {
        await withTaskGroup(of: (String, ProbeAnswer).self) { group in
            for node in nodes {
                group.addTask { (node.name, await answer(of: node, TimeAmount(patience), port)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func answer(of node: Node, _ patience: TimeAmount, _ port: Int) async -> ProbeAnswer {
        do {
            // The reasons in the body are the monitor's business.
            let answer = try await exchange.send(request("https://\(node.domain):\(port)/readyz"), within: patience)
            return answer.status == 200 ? .ready : .notReady(answer.status)
        } catch {
            let fault = TransportFault(error)
            return fault.isAboutTheCertificate ? .badCertificate("\(fault)") : .unreachable("\(fault)")
        }
    }
}
