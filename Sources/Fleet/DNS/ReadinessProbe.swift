import NIOCore
import Outbound

extension HTTPSProbe {
    /// Asks nodes for `/readyz` as a client would, over each family that they have, all at once.
    ///
    /// - Parameters:
    ///   - nodes: Who is asked.
    ///   - patience: For one answer.
    ///   - port: HTTPS.
    /// - Returns: By name.
    package func answers(
        of nodes: [Node], patience: Duration = .seconds(4), port: Int = 443
    ) async -> [String: ProbeAnswer] {
        async let others = answers(of: nodes.filter { $0.publicIPv6 != nil }, over: ipv6, patience, port)
        let answers = await answers(of: nodes, over: exchange, patience, port)
        return Self.merge(answers, await others)
    }

    /// Where nobody at all answers over IPv6 it is this machine that has none.
    static func merge(_ answers: [String: ProbeAnswer], _ others: [String: ProbeAnswer]) -> [String: ProbeAnswer] {
        guard others.values.contains(.ready) else { return answers }
        return answers.merging(others) { answer, other in
            answer == .ready && other != .ready ? .readyByIPv4("\(other)") : answer
        }
    }

    private func answers(
        of nodes: [Node], over exchange: HTTPSExchange?, _ patience: Duration, _ port: Int
    ) async -> [String: ProbeAnswer] {
        guard let exchange else { return [:] }
        return await withTaskGroup(of: (String, ProbeAnswer).self) { group in
            for node in nodes {
                group.addTask { (node.name, await answer(of: node, over: exchange, TimeAmount(patience), port)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func answer(
        of node: Node, over exchange: HTTPSExchange, _ patience: TimeAmount, _ port: Int
    ) async -> ProbeAnswer {
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
