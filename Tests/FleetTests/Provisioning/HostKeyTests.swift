import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct HostKeyTests {
    @Test func theFingerprintMatchesOpenSSH() throws {
        let scratch = try Scratch()
        for number in 0..<3 {
            let path = scratch.file("key\(number)")
            _ = try Tool("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path])
            let key = try HostKey(try String(contentsOfFile: "\(path).pub", encoding: .utf8))
            let theirs = try Tool("/usr/bin/ssh-keygen", ["-l", "-f", "\(path).pub"]).output.split(separator: " ")[1]
            #expect(key.fingerprint == theirs)
        }
    }

    @Test func commentsOfAScanAreSkipped() throws {
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
