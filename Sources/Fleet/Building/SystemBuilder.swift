import Console
import Files
import FoundationEssentials

/// Builds the systems of nodes from the flake, for deploys and for new machines alike.
package struct SystemBuilder: Sendable {
    private let processes: any ChildProcesses

    package init(_ processes: any ChildProcesses) {
        self.processes = processes
    }

    /// Builds these nodes' systems: one evaluation for all, so that all have the same nixpkgs.
    ///
    /// - Parameters:
    ///   - nodes: Names of `nixosConfigurations`.
    ///   - flake: With a lock.
    /// - Returns: Their store paths, sizes, and the pinned revision.
    /// - Throws: `FlakeRefusal`, `ChildError`.
    package func build(_ nodes: [Node], _ flake: Flake) async throws -> Release {
        let lock = try flake.lock()
        let commands = NixCommands(flake: flake)
        let evaluated = try await output(of: commands.evaluate(nodes))
        guard let derivations = try? JSONDecoder().decode([String: String].self, from: Data(evaluated.utf8)),
            derivations.keys.sorted() == nodes.map(\.name).sorted()
        else { throw FlakeRefusal.noBuild("nix eval printed \(evaluated.sanitizedLine(limit: 1_000))") }
        let names = derivations.keys.sorted()
        let built = try await output(of: commands.realise(names.compactMap { derivations[$0] }))
        let paths = built.split(whereSeparator: \.isNewline).map(String.init)
        guard paths.count == names.count, paths.allSatisfy(Self.isPath) else {
            throw FlakeRefusal.noBuild("nix-store printed \(built.sanitizedLine(limit: 1_000))")
        }
        let release = Release(
            systems: Dictionary(zip(names, paths)) { first, _ in first }, revision: lock.revision)
        return await measured(release)
    }

    /// Names of packages that come, go or change between two systems that are here; empty when that cannot be said.
    package func difference(_ old: String, _ new: String) async -> [String] {
        let outcome = try? await processes.run(NixCommands.difference(old, new))
        guard let outcome, outcome.status == 0 else { return [] }
        return outcome.output.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Reads a JSON object of node and store path.
    package func read(_ path: String, for nodes: [Node]) async throws -> Release {
        let all: [String: String]
        do {
            all = try JSONDecoder().decode([String: String].self, from: Data(try File.read(path, most: 1 << 20).utf8))
        } catch {
            throw FlakeRefusal.noBuild("\(path) does not hold a JSON object of node and store path: \(error)")
        }
        let names = Set(nodes.map(\.name))
        for (name, system) in all where names.contains(name) && !Self.isPath(system) {
            throw FlakeRefusal.noBuild("\(path): the system of \(name) is not an absolute path: \(system)")
        }
        return await measured(Release(systems: all.filter { names.contains($0.key) }))
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && !text.contains(where: { $0.isWhitespace || $0.isNewline })
    }

    /// Adds sizes. Without them the room on the nodes is not checked; a store that cannot say is no reason to stop.
    private func measured(_ release: Release) async -> Release {
        let paths = Set(release.systems.values).sorted()
        guard !paths.isEmpty else { return release }
        guard let outcome = try? await processes.run(NixCommands.sizes(paths)), outcome.status == 0 else {
            return release
        }
        var sizes: [String: Int64] = [:]
        for line in outcome.output.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 2, let size = Int64(words[1]) { sizes[String(words[0])] = size }
        }
        var release = release
        release.sizes = release.systems.compactMapValues { sizes[$0] }
        return release
    }

    private func output(of child: ChildProcess) async throws -> String {
        let outcome = try await processes.run(child)
        guard outcome.status == 0 else {
            throw FlakeRefusal.noBuild("\(child.executable): \(Self.reason(in: outcome.errors))")
        }
        return outcome.output
    }

    /// From the first error on: what stands before are warnings and progress. A trace's cause stands at its end.
    private static func reason(in text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).drop { !$0.hasPrefix("error:") }
        let shown = lines.count > 8 ? Array(lines.prefix(4) + lines.suffix(4)) : Array(lines)
        return shown.isEmpty ? "no reason given" : shown.joined(separator: " ").sanitizedLine(limit: 2_000)
    }
}
