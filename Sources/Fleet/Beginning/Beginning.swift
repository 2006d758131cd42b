import Console
import Files
import FoundationEssentials
import Wire

/// Makes what an operator and a fleet need before the first machine: keys, tokens, an inventory with the hub in it, secrets.
///
/// Everything is made once. Running it again completes what was cut off, and prints the tunnel's configuration anew, with the
/// hub's present address.
package struct Beginning: Sendable {
    /// What the operator's machine keeps, in the state directory.
    package struct Places: Sendable {
        let state: String

        package init(state: String) { self.state = state }

        package var ageKey: String { "\(state)/age.key" }
        package var sshKey: String { "\(state)/id_ed25519" }
        package var monitorToken: String { "\(state)/monitor-token" }
        package var monitorCA: String { "\(state)/monitor-ca.pem" }
        package var tunnel: String { "\(state)/clavitor-soc.conf" }
        package var settings: String { "\(state)/soc.toml" }
    }

    private let places: Places
    private let processes: any ChildProcesses

    package init(_ places: Places, _ processes: any ChildProcesses) {
        (self.places, self.processes) = (places, processes)
    }

    /// The age key that opens secrets and backups, made if there is none.
    ///
    /// - Returns: Its recipient, `age1…`.
    package func ageKey() async throws -> (recipient: String, isMade: Bool) {
        let isMade = !File.exists(places.ageKey)
        if isMade { _ = try await run("age-keygen", ["-o", places.ageKey]) }
        let recipient = try await run("age-keygen", ["-y", places.ageKey]).filter { !$0.isWhitespace }
        return (recipient, isMade)
    }

    /// The operator's SSH key, made if there is none.
    ///
    /// - Returns: The public half, `ssh-ed25519 AAAA…`.
    package func sshKey(_ path: String) async throws -> String {
        if !File.exists(path) {
            _ = try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "clavitor-soc", "-f", path])
        }
        let line = try await run("ssh-keygen", ["-y", "-f", path])
        return line.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
    }

    /// The token by which `clavitor-soc` speaks to the monitor, made if there is none.
    ///
    /// - Returns: Its hash, for the inventory.
    package func monitorToken() throws -> String {
        if !File.exists(places.monitorToken) {
            try File.replace(places.monitorToken, with: PushToken.forTool() + "\n", mode: 0o600)
        }
        return PushToken.digest(try File.read(places.monitorToken, most: 4_096).filter { !$0.isWhitespace })
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> String {
        let outcome = try await processes.run(ChildProcess(program, arguments, deadline: .seconds(60)))
        guard outcome.status == 0 else { throw ChildError.failed(program, outcome.errors.sanitizedLine()) }
        return outcome.output
    }
}
