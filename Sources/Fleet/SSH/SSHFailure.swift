import Console

/// What OpenSSH said when it failed. It has 255 for all of its own failures, and tells them apart in words only.
struct SSHFailure {
    private let status: Int32
    private let lines: [Substring]

    init(_ outcome: ChildOutcome) {
        status = outcome.status
        lines = outcome.errors.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    }

    func error(asking node: Node) -> SSHError {
        let last = quoted(lines.last)
        guard status == 255 else { return .failed(node.name, status, last) }
        let text = lines.joined(separator: "\n")
        if text.contains("Host key verification failed") || text.contains("ost key for \(node.name) has changed") {
            return .wrongHostKey(node.name)
        }
        guard let telling = lines.first(where: { line in Self.causes.contains { line.contains($0) } }) else {
            return .unreachable(node.name, last)
        }
        return .unreachable(node.name, quoted(telling) + (node.role == .hub ? advice(telling) : ""))
    }

    /// Words of the line that has the cause.
    private static let causes = [
        "connect to host", "Permission denied", "Too many authentication failures", "Connection timed out",
        "Connection refused", "Network is unreachable", "No route to host", "kex_exchange_identification",
    ]

    private func advice(_ line: Substring) -> String {
        if line.contains("refused") { return ". Its sshd does not run: use the provider's console" }
        if line.contains("Too many") { return ". Name the key in soc.toml: ssh-key" }
        if line.contains("Permission denied") {
            return ". It does not take this key: is the operator in its inventory?"
        }
        return ". Is your tunnel up (wg show)? Else the hub is down"
    }

    private func quoted(_ line: Substring?) -> String { line.map { String($0).sanitizedLine() } ?? "no reason given" }
}
