import CSQLite
import Glibc

/// The kind of file system under a directory.
package enum FileSystem: Equatable, Sendable {
    case local
    /// SQLite's locks and shared memory do not work there, which destroys databases (https://www.sqlite.org/wal.html).
    case network(String)

    /// Detects the file system of a directory with statfs(2).
    ///
    /// - Throws: `SQLiteError` when statfs fails.
    package init(folder: String) throws(SQLiteError) {
        var magic: UInt32 = 0
        guard unsafe clavitor_filesystem_magic(folder, &magic) == 0 else {
            throw unsafe SQLiteError(code: 14, message: String(cString: strerror(errno)), sql: "")
        }
        self.init(magic: magic)
    }

    /// Interprets `f_type` of statfs(2).
    package init(magic: UInt32) {
        let networks: [UInt32: String] = [
            0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x0102_1997: "9p",
            0x6573_5546: "FUSE", 0x5346_414F: "AFS", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
            0x0116_1970: "GFS2", 0x7461_636F: "OCFS2",
        ]
        self = networks[magic].map(FileSystem.network) ?? .local
    }
}
