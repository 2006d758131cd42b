import Console
import Files
import FoundationEssentials

/// Moves the lock to the newest nixpkgs of the branch that the flake follows, or writes the first one.
package struct FlakeUpdate: Sendable {
    private let flake: Flake
    private let processes: any ChildProcesses

    package init(_ flake: Flake, _ processes: any ChildProcesses) {
        self.flake = flake
        self.processes = processes
    }

    /// - Returns: The pin before, nil when there was none, and the present one.
    /// - Throws: `FlakeRefusal.noBuild`, `ChildError`; the lock is then as it was.
    package func run() async throws -> (before: FlakeLock?, now: FlakeLock) {
        let path = flake.lockPath
        let present = File.exists(path) ? try File.read(path, most: 1 << 20) : nil
        let before = try present.map { try FlakeLock($0, path: path) }
        // Without a lock Nix pins the newest. Its options for moving an input differ between versions, this does not.
        File.remove(path)
        do {
            let outcome = try await processes.run(NixCommands(flake: flake).lock())
            guard outcome.status == 0, File.exists(path) else {
                let said = outcome.errors.split(whereSeparator: \.isNewline).last { $0.hasPrefix("error:") }
                throw FlakeRefusal.noBuild(
                    "nix flake lock: \(said.map { String($0).sanitizedLine() } ?? "no reason given")")
            }
            try leaveOutThisMachine()
            return (before, try flake.lock())
        } catch {
            if let present { try File.replace(path, with: present, mode: 0o644) } else { File.remove(path) }
            throw error
        }
    }

    /// The binaries' folder stands in the lock as it was given; each command gives it anew.
    private func leaveOutThisMachine() throws {
        let text = try File.read(flake.lockPath, most: 1 << 20)
        try File.replace(flake.lockPath, with: text.replacing("\"\(flake.dist)\"", with: "\"../dist\""), mode: 0o644)
    }
}
