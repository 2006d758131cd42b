import Console
import Files
import FoundationEssentials

/// The two steps that cannot be undone.
extension Provisioner {
    func infect(_ path: String, _ sha256: String, _ channel: String) async throws {
        let script = try InfectScript(path, sha256: sha256)
        _ = try await first.run(
            .script(ProvisionScripts.infect, [script.sha256, channel]), input: script.text, deadline: .seconds(120))
        try await wait("it is no NixOS after an hour", attempts: 360) {
            let lines = try await first.run(.script(ProvisionScripts.infectState), input: nil, deadline: .seconds(60))
                .split(separator: "\n", maxSplits: 1)
            if lines.first == "failed" {
                throw ProvisionError.conversionFailed(plan.node.name, lines.dropFirst().joined().quotation(most: 1_000))
            }
            return lines.first == "nixos"
        }
    }

    func system() async throws {
        let path = try await local(
            "nix", ["build", "--no-link", "--print-out-paths", "\(plan.system).config.system.build.toplevel"],
            deadline: .seconds(7_200)
        ).filter { !$0.isWhitespace }
        guard path.hasPrefix("/nix/store/") else {
            throw ProvisionError.build("nix build printed \(path.quotation(most: 1_000))")
        }
        _ = try await local(
            "nix-copy-closure", ["--use-substitutes", "--to", first.destination, path], deadline: .seconds(7_200))
        _ = try await first.run(.script(ProvisionScripts.system, [path]), input: nil, deadline: .seconds(600))
    }

    /// nixos-anywhere puts files beside the system; they lie in memory for that long.
    func anywhere() async throws {
        let extra = ExtraFiles(of: plan.node, in: memory)
        let folder = try extra.make()
        // Not by a child process: those are over when this task was cancelled.
        defer { extra.removeAll() }
        _ = try await secrets.push(NodeSecret.allCases, to: plan.node, ThisMachine(processes), root: folder)
        _ = try await local(
            "nixos-anywhere",
            [
                "--flake", "\(plan.flake)#\(plan.node.name)", "--copy-host-keys", "--extra-files", folder,
            ] + first.options.sshOptions + [first.destination], deadline: .seconds(7_200))
    }

    private func local(_ program: String, _ arguments: [String], deadline: Duration) async throws -> String {
        var child = ChildProcess(program, arguments, deadline: deadline)
        child.environment["NIX_SSHOPTS"] = first.options.joined(separator: " ")
        let outcome = try await processes.run(child)
        guard outcome.status == 0 else {
            let said = outcome.errors.split(whereSeparator: \.isNewline).suffix(3).joined(separator: " / ")
            throw ProvisionError.build("\(program): \(said.quotation(most: 1_000))")
        }
        return outcome.output
    }
}

/// For scripts that run here instead of over there.
private struct ThisMachine: RemoteShell {
    private let processes: any ChildProcesses

    init(_ processes: any ChildProcesses) { self.processes = processes }

    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        let outcome = try await processes.run(
            ChildProcess(command.words[0], Array(command.words.dropFirst()), input: input, deadline: deadline))
        guard outcome.status == 0 else { throw ProvisionError.build(outcome.errors.quotation(most: 1_000)) }
        return outcome.output
    }
}

extension [String] {
    /// nixos-anywhere takes `--ssh-option`, `-i` and `-p` for those of ssh.
    fileprivate var sshOptions: [String] {
        var options: [String] = []
        var rest = self[...]
        while let option = rest.popFirst(), let value = rest.popFirst() {
            switch option {
            case "-o": options += ["--ssh-option", value]
            case "-i", "-p": options += [option, value]
            default: break
            }
        }
        return options
    }
}
