import Console

/// Interprets OpenSSH's error output. Its exit status is 255 for all of its own failures.
struct SSHFailure {
    private let status: Int32
    private let lines: [Substring]

    init(_ outcome: ChildOutcome) {
        status = outcome.status
        lines = outcome.errors.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    }

    func error(for node: Node) -> SSHError {
        let last = quoted(lines.last)
        guard status == 255 else { return .failed(node.name, status, last) }
        let text = lines.joined(separator: "\n")
        if text.contains("Host key verification failed") || text.contains("ost key for \(node.name) has changed") {
            return .wrongHostKey(node.name)
        }
        guard let cause = lines.first(where: { line in Self.causes.contains { line.contains($0) } }) else {
            return .unreachable(node.name, last)
        }
        return .unreachable(node.name, quoted(cause) + (node.role == .hub ? hint(cause) : ""))
    }

    /// Parts of the lines that name a cause.
    private static let causes = [
        "connect to host", "Permission denied", "Too many authentication failures", "Connection timed out",
        "Connection refused", "Network is unreachable", "No route to host", "kex_exchange_identification",
    ]

    private func hint(_ line: Substring) -> String {
        if line.contains("refused") { return ". Its sshd does not run: use the provider's console" }
        if line.contains("Too many") { return ". Set the key in soc.toml: ssh-key" }
        if line.contains("Permission denied") {
            return ". It does not accept this key: check that its inventory has the operator"
        }
        return ". Check that your tunnel is up (wg show); otherwise the hub is down"
    }

    private func quoted(_ line: Substring?) -> String { line.map { String($0).sanitizedLine() } ?? "no reason given" }
}
