import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct HostKeyTests {
    @Test func theFingerprintIsOpenSSHs() throws {
        let scratch = try Scratch()
        for number in 0..<3 {
            let path = scratch.file("key\(number)")
            _ = try output(of: "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path])
            let key = try HostKey(try String(contentsOfFile: "\(path).pub", encoding: .utf8))
            let theirs = try output(of: "/usr/bin/ssh-keygen", ["-l", "-f", "\(path).pub"]).split(separator: " ")[1]
            #expect(key.fingerprint == theirs)
        }
    }

    @Test func aScanIsReadPastItsComments() throws {
        let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvxkY4IkHBkP8VHGCIYsfO1xsLW0SvjPXD2yyHiJzu"
        let key = try HostKey(scan: "# 192.0.2.1:22 SSH-2.0-OpenSSH_9.2p1\n192.0.2.1 \(text)\n")
        #expect(key.text == text)
        #expect(throws: HostKeyError.noAnswer) { try HostKey(scan: "# nothing\n") }
    }

    @Test(arguments: ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3Nza", "ssh-ed25519 %%%%"])
    func anythingElseIsRefused(_ text: String) {
        #expect(throws: HostKeyError.notAKey) { try HostKey(text) }
    }
}

@Suite struct HostFactsTests {
    static let text = """
        system=debian
        version=12
        architecture=x86_64
        user=0
        memory=467000
        free=8000000
        root=/dev/vda1

        """
    let infect = ProvisionPlan.Method.infect(script: "s", sha256: "0", channel: "c")

    @Test func aSmallDebianIsFit() throws {
        let facts = try HostFacts(Self.text)
        #expect(facts.problems(for: infect, expectedRoot: "/dev/vda1") == [])
        #expect(facts.problems(for: .anywhere, expectedRoot: nil).count == 1)
    }

    @Test(arguments: [
        ("version=12", "version=13", "not Debian 12"), ("system=debian", "system=ubuntu", "not Debian 12"),
        ("x86_64", "aarch64", "not x86_64"), ("user=0", "user=1000", "does not open root"),
        ("memory=467000", "memory=230000", "needs 400 MB"), ("free=8000000", "free=4000000", "5 GB"),
        ("root=/dev/vda1", "root=/dev/sda1", "/ is on /dev/sda1"),
    ])
    func whatIsWrongIsSaid(_ right: String, _ wrong: String, _ expected: String) throws {
        let text = Self.text.replacing(right, with: wrong)
        let problems = try HostFacts(text).problems(for: infect, expectedRoot: "/dev/vda1")
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test func noTruncationIsRead() {
        for length in 0..<(Self.text.count - 10) {
            #expect(throws: ProvisionError.self) { try HostFacts(String(Self.text.prefix(length))) }
        }
    }

    @Test func thisMachineAnswers() async throws {
        let facts = try await HostFacts.ask(LocalShell())
        #expect(facts.memory > 0)
        #expect(facts.free > 0)
        #expect(!facts.root.isEmpty)
    }
}
