import Files
import FoundationEssentials

/// Where the systems of a deploy come from: built here, or built already.
package struct SystemBuilder: Sendable {
    private let processes: any ChildProcesses
    private static let features = ["--extra-experimental-features", "nix-command flakes"]

    package init(_ processes: any ChildProcesses) {
        self.processes = processes
    }

    /// Builds the systems of these nodes, one after the other: evaluating one takes half a gigabyte.
    ///
    /// - Parameters:
    ///   - nodes: Names of `nixosConfigurations`.
    ///   - flake: A reference, `./nix`.
    ///   - dist: The folder with the static binaries; nil for the flake's own.
    /// - Returns: Their store paths.
    /// - Throws: `DeployRefusal.noBuild`, `ChildError`.
    package func build(_ nodes: [Node], flake: String, dist: String?) async throws -> Release {
        var release = Release(systems: [:])
        for node in nodes {
            let outcome = try await processes.run(Self.command(node, flake: flake, dist: dist))
            guard outcome.status == 0, let path = Self.path(in: outcome.output) else {
                throw DeployRefusal.noBuild("\(node.name): \(Self.reason(in: outcome.errors))")
            }
            release.systems[node.name] = path
        }
        return await measured(release)
    }

    package static func command(_ node: Node, flake: String, dist: String?) -> ChildProcess {
        let attribute = "\(flake)#nixosConfigurations.\(node.name).config.system.build.toplevel"
        let override = dist.map { ["--override-input", "dist", "path:\($0)"] } ?? []
        return ChildProcess(
            "nix", features + ["build", "--no-link", "--json", attribute] + override,
            deadline: .seconds(3_600))
    }

    /// A JSON object of node and store path.
    package func read(_ path: String, for nodes: [Node]) async throws -> Release {
        let all: [String: String]
        do {
            all = try JSONDecoder().decode([String: String].self, from: Data(try File.read(path, most: 1 << 20).utf8))
        } catch {
            throw DeployRefusal.noBuild("\(path) does not hold a JSON object of node and store path: \(error)")
        }
        let names = Set(nodes.map(\.name))
        for (name, system) in all where names.contains(name) && !Self.isPath(system) {
            throw DeployRefusal.noBuild("\(path): the system of \(name) is no absolute path: \(system)")
        }
        return await measured(Release(systems: all.filter { names.contains($0.key) }))
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && !text.contains(where: { $0.isWhitespace || $0.isNewline })
    }

    /// Without sizes the room on the nodes is not looked at; a store that cannot tell is no reason to stop.
    private func measured(_ release: Release) async -> Release {
        let paths = Set(release.systems.values).sorted()
        guard !paths.isEmpty else { return release }
        let child = ChildProcess(
            "nix", Self.features + ["path-info", "--closure-size"] + paths, deadline: .seconds(60))
        guard let outcome = try? await processes.run(child), outcome.status == 0 else { return release }
        var sizes: [String: Int64] = [:]
        for line in outcome.output.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 2, let size = Int64(words[1]) { sizes[String(words[0])] = size }
        }
        var release = release
        release.sizes = release.systems.compactMapValues { sizes[$0] }
        return release
    }

    private struct Built: Decodable {
        var outputs: [String: String]
    }

    private static func path(in json: String) -> String? {
        let built = try? JSONDecoder().decode([Built].self, from: Data(json.utf8))
        return built?.first?.outputs["out"].flatMap { isPath($0) ? $0 : nil }
    }

    /// From the first error on: what stands before are warnings and progress.
    private static func reason(in text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
        return lines.drop { !$0.hasPrefix("error:") }.prefix(5).joined(separator: " ")
    }
}
