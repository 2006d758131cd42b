import Console
import Files
import FoundationEssentials

/// Updates the lock to the newest nixpkgs of the flake's branch, or creates it.
package struct FlakeUpdate: Sendable {
    private let flake: Flake
    private let processes: any ChildProcesses

    package init(_ flake: Flake, _ processes: any ChildProcesses) {
        self.flake = flake
        self.processes = processes
    }

    /// - Returns: The previous pin, nil if there was none, and the present one.
    /// - Throws: `FlakePreconditionError.noBuild`, `ChildError`; the lock is then unchanged.
    package func run() async throws -> (before: FlakeLock?, now: FlakeLock) {
        let path = flake.lockPath
        let present = File.exists(path) ? try File.read(path, most: 1 << 20) : nil
        let before = try present.map { try FlakeLock($0, path: path) }
        // Without a lock Nix pins the newest revision. Its options to update an input differ between versions.
        File.remove(path)
        do {
            let outcome = try await processes.run(NixCommands(flake: flake).lock())
            guard outcome.status == 0, File.exists(path) else {
                let said = outcome.errors.split(whereSeparator: \.isNewline).last { $0.hasPrefix("error:") }
                throw FlakePreconditionError.noBuild(
                    "nix flake lock: \(said.map { String($0).sanitizedLine() } ?? "no reason given")")
            }
            try removeLocalPath()
            return (before, try flake.lock())
        } catch {
            if let present { try File.replace(path, with: present, mode: 0o644) } else { File.remove(path) }
            throw error
        }
    }

    /// Removes the local path of the binaries from the lock; each command overrides it.
    private func removeLocalPath() throws {
        let text = try File.read(flake.lockPath, most: 1 << 20)
        try File.replace(flake.lockPath, with: text.replacing("\"\(flake.dist)\"", with: "\"../dist\""), mode: 0o644)
    }
}
