/// Sends the monitor's own heartbeat to an external monitor, which raises an alarm when it stops.
///
/// Speaks the push protocols of Uptime Kuma and Healthchecks. Other services understand every request to a secret URL
/// as healthy, so they get none while the monitor is unhealthy.
package struct DeadMansSwitch: Sendable {
    private let url: Secret
    /// URL to report a failure; nil when failures are reported by sending nothing.
    private let failureURL: Secret?
    private let send: @Sendable (WebRequest) async throws -> WebResponse

    /// - Parameters:
    ///   - text: A push URL, as the other monitor shows it.
    ///   - send: Sends the request.
    /// - Throws: `DeadMansSwitchError`, which contains nothing of the text.
    package init(
        url text: some StringProtocol, send: @escaping @Sendable (WebRequest) async throws -> WebResponse
    ) throws(DeadMansSwitchError) {
        guard let address = WebAddress(String(text)) else { throw .notAURL }
        guard address.isConfidential else { throw .notEncrypted }
        // Uptime Kuma shows its URL with these three parameters, to be filled in.
        let parts = address.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let kept = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { item in
            !["status", "msg", "ping"].contains(item.prefix { $0 != "=" })
        }
        let query = kept.map { "\($0)&" }.joined()
        let path = parts.first ?? "/"
        let base = "\(address.scheme.rawValue)://\(address.authority)\(path)"
        url = Secret("\(base)?\(query)status=up&msg=OK")
        // https://healthchecks.io/docs/signaling_failures/
        let isHealthchecks = address.authority == "hc-ping.com" || path.hasPrefix("/ping/")
        failureURL =
            isHealthchecks
            ? Secret("\(base)/fail?\(query)")
            : path.contains("/api/push/") ? Secret("\(base)?\(query)status=down&") : nil
        self.send = send
    }

    /// Sends a heartbeat. `healthProblems`: Why the monitor cannot do its work; empty when it is healthy.
    package func send(_ healthProblems: [String]) async throws {
        let words = healthProblems.joined(separator: ", ").split(separator: " ").joined(separator: "%20")
        let target = healthProblems.isEmpty ? url : failureURL.map { Secret("\($0.exposed)msg=\(words)") }
        guard let target else { return }
        let response = try await send(WebRequest(to: target, body: []))
        guard (200..<300).contains(response.status) else {
            throw DeliveryFailure(.rejected, "the dead man's switch responded with status \(response.status)")
        }
    }
}
