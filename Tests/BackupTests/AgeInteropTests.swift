import Backup
import Files
import Foundation
import TestSupport
import Testing

/// Interoperability with Debian's `age`.
@Suite struct AgeInteropTests {
    static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 5 << 20 | 3]

    let scratch: Scratch
    let identity = AgeIdentity.generate()
    let identityFile: String

    init() throws {
        scratch = try Scratch()
        identityFile = try scratch.write(Array("# a comment\n\n\(identity.revealed())\n".utf8), to: "key.txt")
    }

    @Test(arguments: sizes) func ageDecryptsOurFiles(size: Int) throws {
        let plain = pattern(size)
        let encrypted = try scratch.write(try AgeFile.encrypt(plain, to: [identity.recipient]), to: "ours.age")
        try run("age", "-d", "-i", identityFile, "-o", scratch.file("out"), encrypted)
        // For an empty file age writes no output file.
        let opened = size == 0 ? [] : try scratch.read("out")
        #expect(opened == plain)
    }

    @Test(arguments: sizes) func weDecryptFilesOfAge(size: Int) throws {
        let plain = pattern(size)
        let path = try scratch.write(plain, to: "plain")
        try run("age", "-r", "\(identity.recipient)", "-o", scratch.file("theirs.age"), path)
        let opened = try AgeFile.decrypt(try scratch.read("theirs.age"), with: [identity])
        #expect(opened == plain)
    }

    @Test(arguments: sizes) func filesAndBytesGiveTheSameResult(size: Int) throws {
        let plain = pattern(size)
        try scratch.write(plain, to: "plain")
        try AgeFile.encrypt(
            OpenFile(reading: scratch.file("plain")),
            into: OpenFile(creating: scratch.file("ours.age")),
            to: [identity.recipient]
        )
        try AgeFile.decrypt(
            OpenFile(reading: scratch.file("ours.age")),
            into: OpenFile(creating: scratch.file("back")),
            with: [identity]
        )
        let back = try scratch.read("back")
        let bytes = try AgeFile.decrypt(try scratch.read("ours.age"), with: [identity])
        #expect(back == plain)
        #expect(bytes == plain)
    }

    @Test func eachOfSeveralRecipientsDecryptsOurFiles() throws {
        let others = [AgeIdentity.generate(), AgeIdentity.generate()]
        let recipients = [others[0].recipient, identity.recipient, others[1].recipient]
        let encrypted = try AgeFile.encrypt([1, 2, 3], to: recipients)
        for other in others + [identity] {
            let opened = try AgeFile.decrypt(encrypted, with: [other])
            #expect(opened == [1, 2, 3])
        }
        let path = try scratch.write(encrypted, to: "ours.age")
        let printed = try run("age", "-d", "-i", identityFile, path)
        #expect(Array(printed.utf8) == [1, 2, 3])
    }

    @Test func oneOfSeveralRecipientsOfAgeSuffices() throws {
        let other = AgeIdentity.generate()
        let path = try scratch.write([1, 2, 3], to: "plain")
        let output = scratch.file("theirs.age")
        try run("age", "-r", "\(other.recipient)", "-r", "\(identity.recipient)", "-o", output, path)
        let opened = try AgeFile.decrypt(try scratch.read("theirs.age"), with: [AgeIdentity.generate(), identity])
        #expect(opened == [1, 2, 3])
    }

    @Test func stanzasOfOtherTypesAreSkipped() throws {
        try run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch.file("ssh"))
        let path = try scratch.write([1, 2, 3], to: "plain")
        let output = scratch.file("theirs.age")
        try run("age", "-R", scratch.file("ssh.pub"), "-r", "\(identity.recipient)", "-o", output, path)
        let opened = try AgeFile.decrypt(try scratch.read("theirs.age"), with: [identity])
        #expect(opened == [1, 2, 3])
    }

    @Test func armorIsRejectedWithInstructions() throws {
        let path = try scratch.write([1, 2, 3], to: "plain")
        try run("age", "-a", "-r", "\(identity.recipient)", "-o", scratch.file("theirs.age"), path)
        let armored = try scratch.read("theirs.age")
        for file in [armored, Array("\r\n  ".utf8) + armored] {
            let error = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [identity]) }.error
            #expect(error == .armored)
            #expect(error?.description.contains("Dearmor") == true)
        }
    }

    @Test func theInstructionsForArmorWork() throws {
        let path = try scratch.write([1, 2, 3], to: "plain")
        try run("age", "-a", "-r", "\(identity.recipient)", "-o", scratch.file("theirs.age"), path)
        let script = "grep -v '^-----' \(scratch.file("theirs.age")) | base64 -d > \(scratch.file("dearmored"))"
        try run("sh", "-c", script)
        let opened = try AgeFile.decrypt(try scratch.read("dearmored"), with: [identity])
        #expect(opened == [1, 2, 3])
    }

    @Test func keysOfAgeKeygenAreParsed() throws {
        try run("age-keygen", "-o", scratch.file("stock.txt"))
        let identities = try AgeIdentity.list(String(decoding: try scratch.read("stock.txt"), as: UTF8.self))
        let recipient = try run("age-keygen", "-y", scratch.file("stock.txt"))
        let recipients = try AgeRecipient.list("# the node's operators\n\n" + recipient)
        #expect(identities.map(\.recipient) == recipients)
    }

    @Test func ageKeygenReadsOurKeys() throws {
        let printed = try run("age-keygen", "-y", identityFile)
        #expect(printed == "\(identity.recipient)\n")
    }
}
