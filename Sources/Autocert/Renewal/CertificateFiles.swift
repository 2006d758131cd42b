/// The directory that stores certificates and keys: on the disk, or in memory for tests.
///
/// `replace` writes atomically and durably, and only the program's own user can read the file. Names are file names
/// without directories.
package protocol CertificateFiles: Sendable {
    /// Nil for a missing file.
    func read(_ name: String) throws -> [UInt8]?
    func replace(_ name: String, with bytes: [UInt8]) throws
    func rename(_ name: String, to other: String) throws
    func remove(_ name: String) throws
    func names() throws -> [String]
}
