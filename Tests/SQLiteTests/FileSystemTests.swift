import SQLite
import TestSupport
import Testing

@Suite struct FileSystemTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var magic: UInt32
        var expected: FileSystem
    }

    // Magic numbers from statfs(2) and linux/magic.h.
    @Test(arguments: [
        Case(testDescription: "ext4", magic: 0xEF53, expected: .local),
        Case(testDescription: "xfs", magic: 0x5846_5342, expected: .local),
        Case(testDescription: "btrfs", magic: 0x9123_683E, expected: .local),
        Case(testDescription: "tmpfs", magic: 0x0102_1994, expected: .local),
        Case(testDescription: "overlay", magic: 0x794C_7630, expected: .local),
        Case(testDescription: "zfs", magic: 0x2FC1_2FC1, expected: .local),
        Case(testDescription: "NFS", magic: 0x6969, expected: .network("NFS")),
        Case(testDescription: "SMB", magic: 0x517B, expected: .network("SMB")),
        Case(testDescription: "CIFS", magic: 0xFF53_4D42, expected: .network("CIFS")),
        Case(testDescription: "SMB2", magic: 0xFE53_4D42, expected: .network("SMB2")),
        Case(testDescription: "9p", magic: 0x0102_1997, expected: .network("9p")),
        Case(testDescription: "FUSE", magic: 0x6573_5546, expected: .network("FUSE")),
        Case(testDescription: "AFS", magic: 0x5346_414F, expected: .network("AFS")),
        Case(testDescription: "Ceph", magic: 0x00C3_6400, expected: .network("Ceph")),
        Case(testDescription: "Lustre", magic: 0x0BD0_0BD0, expected: .network("Lustre")),
        Case(testDescription: "GFS2", magic: 0x0116_1970, expected: .network("GFS2")),
        Case(testDescription: "OCFS2", magic: 0x7461_636F, expected: .network("OCFS2")),
    ])
    func aNetworkFileSystemIsDetectedByItsMagicNumber(_ example: Case) {
        #expect(FileSystem(magic: example.magic) == example.expected)
    }

    @Test func theScratchDirectoryIsLocal() throws {
        let scratch = try Scratch()
        let found = try FileSystem(folder: scratch.path)
        #expect(found == .local)
    }

    @Test func aMissingDirectoryIsAnError() {
        #expect(throws: SQLiteError.self) { try FileSystem(folder: "/nowhere/at/all") }
    }
}
