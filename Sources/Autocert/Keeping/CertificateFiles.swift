/// The folder in which certificates and keys rest. The program's own on a disk; a test's in memory.
///
/// What it promises: `replace` puts all the bytes there or none, on the disk when it returns, readable by nobody else.
/// Names are file names without folders.
package protocol CertificateFiles: Sendable {
    /// Nil for a file that is not there.
    func read(_ name: String) throws -> [UInt8]?
    func replace(_ name: String, with bytes: [UInt8]) throws
    func rename(_ name: String, to other: String) throws
    func remove(_ name: String) throws
    func names() throws -> [String]
}
