import Console
import Files
import FoundationEssentials

/// Builds the systems of nodes from the flake, for deploys and for new machines.
package struct SystemBuilder: Sendable {
    private let processes: any ChildProcesses

    package init(_ processes: any ChildProcesses) {
        self.processes = processes
    }

    /// Builds the systems of nodes with one evaluation, so that all have the same nixpkgs.
    ///
    /// - Parameters:
    ///   - nodes: Their names must be in `nixosConfigurations`.
    ///   - flake: Must have a lock.
    /// - Returns: Store paths, sizes, and the pinned revision.
    /// - Throws: `FlakePreconditionError`, `ChildError`.
    package func build(_ nodes: [Node], _ flake: Flake) async throws -> Release {
        let lock = try flake.lock()
        let commands = NixCommands(flake: flake)
        let evaluated = try await output(of: commands.evaluate(nodes))
        guard let derivations = try? JSONDecoder().decode([String: String].self, from: Data(evaluated.utf8)),
            derivations.keys.sorted() == nodes.map(\.name).sorted()
        else { throw FlakePreconditionError.noBuild("nix eval printed \(evaluated.sanitizedLine(limit: 1_000))") }
        let names = derivations.keys.sorted()
        let built = try await output(of: commands.realise(names.compactMap { derivations[$0] }))
        let paths = built.split(whereSeparator: \.isNewline).map(String.init)
        guard paths.count == names.count, paths.allSatisfy(Self.isPath) else {
            throw FlakePreconditionError.noBuild("nix-store printed \(built.sanitizedLine(limit: 1_000))")
        }
        let release = Release(
            systems: Dictionary(zip(names, paths)) { first, _ in first }, revision: lock.revision)
        return await measured(release)
    }

    /// The packages that differ between two local systems; empty if the comparison fails.
    package func difference(_ old: String, _ new: String) async -> [String] {
        let outcome = try? await processes.run(NixCommands.difference(old, new))
        guard let outcome, outcome.status == 0 else { return [] }
        return outcome.output.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Parses a JSON file with an object of node and store path.
    package func read(_ path: String, for nodes: [Node]) async throws -> Release {
        let all: [String: String]
        do {
            all = try JSONDecoder().decode([String: String].self, from: Data(try File.read(path, most: 1 << 20).utf8))
        } catch {
            throw FlakePreconditionError.noBuild("\(path) does not hold a JSON object of node and store path: \(error)")
        }
        let names = Set(nodes.map(\.name))
        for (name, system) in all where names.contains(name) && !Self.isPath(system) {
            throw FlakePreconditionError.noBuild("\(path): the system of \(name) is not an absolute path: \(system)")
        }
        return await measured(Release(systems: all.filter { names.contains($0.key) }))
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && !text.contains(where: { $0.isWhitespace || $0.isNewline })
    }

    /// Adds closure sizes. A failure is ignored: without sizes the free space on the nodes is not checked.
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
            throw FlakePreconditionError.noBuild("\(child.executable): \(Self.reason(in: outcome.errors))")
        }
        return outcome.output
    }

    /// The output from the first error on, without earlier warnings and progress. The cause is at the end of a trace.
    private static func reason(in text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).drop { !$0.hasPrefix("error:") }
        let shown = lines.count > 8 ? Array(lines.prefix(4) + lines.suffix(4)) : Array(lines)
        return shown.isEmpty ? "no reason given" : shown.joined(separator: " ").sanitizedLine(limit: 2_000)
    }
}
