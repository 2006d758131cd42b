import Console
import Files
import FoundationEssentials
import Wire

/// Creates the keys and tokens that an operator needs before the first machine.
///
/// Idempotent: running it again creates what is missing.
package struct FleetSetup: Sendable {
    /// Files of the operator's machine, in the state directory.
    package struct Paths: Sendable {
        let state: String

        package init(state: String) { self.state = state }

        package var ageKey: String { "\(state)/age.key" }
        package var sshKey: String { "\(state)/id_ed25519" }
        package var monitorToken: String { "\(state)/monitor-token" }
        package var monitorCA: String { "\(state)/monitor-ca.pem" }
        package var tunnel: String { "\(state)/clavitor-soc.conf" }
        package var settings: String { "\(state)/soc.toml" }
    }

    private let paths: Paths
    private let processes: any ChildProcesses

    package init(_ paths: Paths, _ processes: any ChildProcesses) {
        (self.paths, self.processes) = (paths, processes)
    }

    /// The age key that decrypts secrets and backups; created if there is none.
    ///
    /// - Returns: Its recipient, `age1…`.
    package func ageKey() async throws -> (recipient: String, isNew: Bool) {
        let isNew = !File.exists(paths.ageKey)
        if isNew { _ = try await run("age-keygen", ["-o", paths.ageKey]) }
        let recipient = try await run("age-keygen", ["-y", paths.ageKey]).filter { !$0.isWhitespace }
        return (recipient, isNew)
    }

    /// The operator's SSH key; created if there is none.
    ///
    /// - Returns: The public key, `ssh-ed25519 AAAA…`.
    package func sshKey(_ path: String) async throws -> String {
        if !File.exists(path) {
            _ = try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "clavitor-soc", "-f", path])
        }
        let line = try await run("ssh-keygen", ["-y", "-f", path])
        return line.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
    }

    /// The token of `clavitor-soc` for the monitor; created if there is none.
    ///
    /// - Returns: Its hash, for the inventory.
    package func monitorToken() throws -> String {
        if !File.exists(paths.monitorToken) {
            try File.replace(paths.monitorToken, with: PushToken.forTool() + "\n", mode: 0o600)
        }
        return PushToken.digest(try File.read(paths.monitorToken, most: 4_096).filter { !$0.isWhitespace })
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> String {
        let outcome = try await processes.run(ChildProcess(program, arguments, deadline: .seconds(60)))
        guard outcome.status == 0 else { throw ChildError.failed(program, outcome.errors.sanitizedLine()) }
        return outcome.output
    }
}
