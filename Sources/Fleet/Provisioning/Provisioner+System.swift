import Console
import Files
import FoundationEssentials

/// The steps that replace what is on the machine.
extension Provisioner {
    /// Builds the system before the machine is changed. The result stays in the store.
    func build() async throws -> String {
        let release = try await SystemBuilder(processes).build([plan.node], plan.flake)
        guard let path = release.systems[plan.node.name] else { throw ProvisionError.build("nothing was built") }
        return path
    }

    func convert() async throws {
        let script = plan.script
        _ = try await first.run(
            .script(ProvisionScripts.infect, [script.sha256, script.channel]), input: script.text,
            deadline: .seconds(120))
        try await wait("it is not NixOS after an hour", attempts: 360) {
            let lines = try await first.run(.script(ProvisionScripts.infectState), input: nil, deadline: .seconds(60))
                .split(separator: "\n", maxSplits: 1)
            if lines.first == "failed" {
                throw ProvisionError.conversionFailed(
                    plan.node.name, lines.dropFirst().joined().sanitizedLine(limit: 1_000))
            }
            return lines.first == "nixos"
        }
    }

    func system() async throws {
        let path = try await build()
        var copy = ChildProcess(
            "nix-copy-closure", ["--use-substitutes", "--to", first.destination, path], deadline: .seconds(7_200))
        copy.environment["NIX_SSHOPTS"] = first.options.joined(separator: " ")
        let outcome = try await processes.run(copy)
        guard outcome.status == 0 else {
            let said = outcome.errors.split(whereSeparator: \.isNewline).suffix(3).joined(separator: " / ")
            throw ProvisionError.build("nix-copy-closure: \(said.sanitizedLine(limit: 1_000))")
        }
        _ = try await first.run(.script(ProvisionScripts.system, [path]), input: nil, deadline: .seconds(600))
    }

    func restore() async throws {
        guard let backup = plan.backup else { return }
        // An earlier run has installed the same database.
        _ = try await VaultRestore(
            plan.node, backup, secrets, dist: plan.flake.dist, folder: folder, processes: processes
        ).run(first, replaces: true)
    }
}
