import Backup
import Files
import Foundation
import TestSupport
import Testing

@Suite struct AgeStreamTests {
    let identity = AgeIdentity.generate()

    /// Encrypts 16 MiB with only a few chunks in memory at a time.
    @Test func memoryIsConstant() throws {
        let total = 16 << 20
        var encrypted: [UInt8] = []
        var (read, written, most, held) = (0, 0, 0, 0)
        try AgeFile.encrypt(
            to: [identity.recipient],
            read: { count throws(AgeError) in
                let bytes = [UInt8](repeating: 1, count: min(count, total - read))
                read += bytes.count
                (most, held) = (max(most, count), max(held, read - written))
                return bytes
            },
            write: { bytes throws(AgeError) in
                encrypted += bytes
                written += bytes.count
            }
        )
        #expect(read == total)
        #expect(most <= 65_536)
        #expect(held <= 2 * 65_536)

        (read, written, most, held) = (0, 0, 0, 0)
        try AgeFile.decrypt(
            with: [identity],
            read: { count throws(AgeError) in
                let bytes = Array(encrypted[read...].prefix(count))
                read += bytes.count
                (most, held) = (max(most, count), max(held, read - written))
                return bytes
            },
            write: { bytes throws(AgeError) in written += bytes.count }
        )
        #expect(written == total)
        #expect(most <= 65_552)
        #expect(held <= 4 * 65_552)
    }

    @Test func everyEncryptionIsDifferent() throws {
        let first = try AgeFile.encrypt(pattern(100), to: [identity.recipient])
        let second = try AgeFile.encrypt(pattern(100), to: [identity.recipient])
        // Only the version line is the same.
        let common = zip(first, second).drop { $0 == $1 }.filter { $0 == $1 }.count
        #expect(first.count == second.count)
        #expect(common < first.count / 4)
    }

    @Test func aFullDiskIsReported() throws {
        let scratch = try Scratch()
        let source = try OpenFile(reading: scratch.write(pattern(10), to: "plain"))
        let full = FileHandle(forWritingAtPath: "/dev/full")
        let destination = try OpenFile(duplicating: try #require(full).fileDescriptor)
        let error = outcome { () throws(AgeError) in
            try AgeFile.encrypt(source, into: destination, to: [identity.recipient])
        }.error
        #expect(error == .system(SystemCallError(call: "write", code: 28)))
        #expect(error?.description == "write: No space left on device")
    }

    @Test func filesAreCreatedPrivateAndNeverReplaced() throws {
        let scratch = try Scratch()
        let path = scratch.file("new")
        do {
            let file = try OpenFile(creating: path)
            try file.write([1, 2, 3])
        }
        #expect(scratch.mode("new") == 0o600)
        #expect(throws: SystemCallError(call: "open", path: path, code: 17)) { _ = try OpenFile(creating: path) }
        #expect(scratch.content("new") == [1, 2, 3])
    }

    @Test func aDirectoryCannotBeEncrypted() throws {
        let scratch = try Scratch()
        let source = try OpenFile(reading: scratch.path)
        let destination = try OpenFile(creating: scratch.file("out"))
        let error = outcome { () throws(AgeError) in
            try AgeFile.encrypt(source, into: destination, to: [identity.recipient])
        }.error
        #expect(error == .system(SystemCallError(call: "read", code: 21)))
    }
}
