import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct SSHFilesTests {
    private let inventory: Inventory
    private let paths = SSHFiles.Paths(directory: "/run/soc", identity: "/home/ana/.ssh/soc")

    init() throws {
        inventory = try Inventory(toml: FleetFixture.text())
    }

    @Test func aSpokeIsReachedThroughTheHub() throws {
        let files = try SSHFiles(inventory, paths)
        let hosts = files.config.components(separatedBy: "\n\n")
        let (hub, spoke) = (hosts[0].split(separator: "\n"), hosts[1].split(separator: "\n"))
        #expect(hub.dropLast() == ["Host zurich", "    HostName 127.0.84.1", "    HostKeyAlias zurich"])
        #expect(
            spoke.dropLast() == [
                "Host tokyo", "    HostName 127.0.84.2", "    HostKeyAlias tokyo", "    ProxyJump zurich",
            ])
        let shared = /\ {4}ControlPath \/run\/soc\/[0-9a-f]{24}/
        for lines in [hub, spoke] { #expect(lines.last?.wholeMatch(of: shared) != nil) }
        #expect(files.knownHosts.hasPrefix("zurich ssh-ed25519 AAAAzurich\ntokyo ssh-ed25519 AAAAtokyo\n"))
    }

    /// Compares with the configuration that ssh reads from the file.
    @Test(arguments: [
        "stricthostkeychecking true", "userknownhostsfile /run/soc/known_hosts", "globalknownhostsfile none",
        "batchmode yes", "forwardagent no", "identitiesonly yes", "identityfile /home/ana/.ssh/soc", "user root",
        "controlmaster auto", "controlpersist 60", "hostname 127.0.84.2", "hostkeyalias tokyo", "proxyjump zurich",
        "forwardx11 no",
    ])
    func sshAcceptsTheConfiguration(_ line: String) async throws {
        let scratch = try Scratch()
        let path = try scratch.write(try SSHFiles(inventory, paths).config, to: "config")
        let outcome = try await SystemProcesses().run(
            ChildProcess("ssh", ["-G", "-F", path, "tokyo"], deadline: .seconds(120)))
        #expect(outcome.output.split(separator: "\n").contains(Substring(line)), "\(outcome.output)\(outcome.errors)")
    }

    @Test func aMissingHostKeyIsReportedWithARemedy() throws {
        var inventory = inventory
        inventory.nodes[1].hostKey = ""
        let ssh = SSH(inventory, paths, SystemProcesses())
        let error = #expect(throws: SSHError.noHostKey("tokyo")) {
            try ssh.arguments(inventory.nodes[1], RemoteCommand(["true"]))
        }
        #expect("\(try #require(error))".contains("clavitor-soc fleet set tokyo host-key"))
        // Nor is a hub without a host key used.
        inventory.nodes[0].hostKey = ""
        #expect(throws: SSHError.noHostKey("zurich")) {
            try SSH(inventory, paths, SystemProcesses()).arguments(inventory.nodes[2], nil)
        }
    }

    @Test func aTooLongSocketPathIsReportedFirst() {
        let long = SSHFiles.Paths(directory: "/" + String(repeating: "x", count: 70), identity: nil)
        #expect(throws: SSHError.pathTooLong(long.directory)) { try SSHFiles(inventory, long) }
        #expect(throws: SSHError.spacesInPath("/a b")) {
            try SSHFiles(inventory, SSHFiles.Paths(directory: "/a b", identity: nil))
        }
        #expect(throws: SSHError.spacesInPath("/my key")) {
            try SSHFiles(inventory, SSHFiles.Paths(directory: "/a", identity: "/my key"))
        }
    }

    @Test func unchangedFilesAreNotRewritten() throws {
        let scratch = try Scratch()
        let paths = SSHFiles.Paths(directory: scratch.file("ssh"), identity: nil)
        func number() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: paths.config)[.systemFileNumber] as? Int
        }
        try SSH(inventory, paths, SystemProcesses()).prepare()
        let first = try number()
        try SSH(inventory, paths, SystemProcesses()).prepare()
        #expect(try number() == first)
        var changed = inventory
        changed.nodes[1].address = "127.0.84.9"
        try SSH(changed, paths, SystemProcesses()).prepare()
        #expect(try String(contentsOfFile: paths.config, encoding: .utf8).contains("127.0.84.9"))
    }

    @Test func theDescriptionIsAShellCommandLine() throws {
        let ssh = SSH(inventory, paths, SystemProcesses())
        let child = try ssh.process(inventory.nodes[1], RemoteCommand(["echo", "it's"]), fresh: true)
        #expect(
            "\(child)" == #"ssh -F /run/soc/ssh_config -o 'ControlPath=none' tokyo -- 'echo '\''it'\''\'\'''\''s'\'''"#)
    }
}

@Suite struct RemoteCommandTests {
    private static let pieces = [
        "'", "\"", "$HOME", "`id`", "\\", "\n", " ", "*", "~", "!", "#", ";", "&", "|", "<", ">", "(", ")", "{a,b}",
        "é",
        "日本", "-n", "=", "$(id)", "\t", "?", "[a]", "%s", "",
    ]

    private static func word(_ random: inout some RandomNumberGenerator) -> String {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }

    @Test func everyWordIsQuoted() async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            let words = (0..<8).map { _ in Self.word(&random) }
            let command = RemoteCommand(["printf", "%s\\001"] + words)
            let outcome = try await SystemProcesses().run(
                ChildProcess("sh", ["-c", command.description], deadline: .seconds(120)))
            #expect(outcome.output == words.map { $0 + "\u{1}" }.joined(), "\(command)")
        }
    }

    @Test func plainWordsAreNotQuoted() {
        #expect("\(RemoteCommand(["sh", "-s", "--", "d1", "/nix/store/a-b"]))" == "sh -s -- d1 /nix/store/a-b")
        #expect("\(RemoteCommand(["", "a=b", "~"]))" == "'' 'a=b' '~'")
    }
}
