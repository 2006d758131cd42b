import Fleet
import Foundation
import TestSupport
import Testing

/// Runs the scripts in a real sh, with stand-ins for systemd and Nix.
@Suite(.timeLimit(.minutes(2))) struct ProvisionScriptsTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for (name, text) in [
            ("systemctl", "echo systemctl \"$@\" >>\"$LOG\"; [ \"$1\" != is-active ] || exit 3"),
            ("systemd-run", "echo systemd-run \"$@\" >>\"$LOG\""), ("nix-env", "echo nix-env \"$@\" >>\"$LOG\""),
            ("switch-to-configuration", "echo switch \"$@\" >>\"$LOG\""),
        ] {
            let folder = name.hasPrefix("switch") ? "system/bin" : "bin"
            try FileManager.default.createDirectory(
                atPath: scratch.file(folder), withIntermediateDirectories: true)
            try scratch.write(Array("#!/bin/sh\n\(text)\n".utf8), to: "\(folder)/\(name)")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: scratch.file("\(folder)/\(name)"))
        }
    }

    private func run(_ script: String, _ arguments: [String], input: String = "") async throws -> ChildOutcome {
        var child = ChildProcess(
            "sh", ["-c", script, "sh"] + arguments, input: input, deadline: .seconds(120))
        child.environment = [
            "PATH": "\(scratch.file("bin")):/usr/bin:/bin", "HOME": scratch.path, "LOG": scratch.file("log"),
        ]
        return try await SystemProcesses().run(child)
    }

    private var log: String { (try? String(contentsOfFile: scratch.file("log"), encoding: .utf8)) ?? "" }

    @Test func theScriptIsStoredAndStartedInTheBackground() async throws {
        let text = "echo 'infected'\n"
        let hash = String(try await Tool("/usr/bin/sha256sum", [], input: text).output.prefix { $0 != " " })
        let outcome = try await run(ProvisionScripts.infect, [hash, "nixos-25.05"], input: text)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(String(decoding: try scratch.read("clavitor-infect"), as: UTF8.self) == text)
        #expect(log.contains("systemd-run --quiet --unit=clavitor-infect --setenv=NIX_CHANNEL=nixos-25.05"))
    }

    @Test func aTruncatedScriptIsNotStarted() async throws {
        let hash = String(
            try await Tool("/usr/bin/sha256sum", [], input: "rm -rf /old; exit\n").output.prefix { $0 != " " })
        let outcome = try await run(ProvisionScripts.infect, [hash, "nixos-25.05"], input: "rm -rf /")
        #expect(outcome.status != 0)
        #expect(!log.contains("systemd-run"))
    }

    @Test func theFirstSystemBecomesTheBootDefaultBeforeTheReboot() async throws {
        for script in [ProvisionScripts.system, ProvisionScripts.reboot] {
            let outcome = try await run(script, [scratch.file("system")])
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(
            log == """
                nix-env --profile /nix/var/nix/profiles/system --set \(scratch.file("system"))
                switch boot
                systemd-run --quiet --collect --on-active=2 systemctl reboot

                """)
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck")),
        arguments: [
            ProvisionScripts.infect, ProvisionScripts.infectState, ProvisionScripts.system, ProvisionScripts.reboot,
        ])
    func theScriptsPassShellcheck(_ script: String) throws {
        let said = try Tool("/usr/bin/shellcheck", ["-s", "sh", "-"], input: script).output
        #expect(said.isEmpty, "\(said)")
    }
}
