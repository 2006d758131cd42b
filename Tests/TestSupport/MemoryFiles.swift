import Autocert
import Synchronization

/// An in-memory directory that can be set to full.
package final class MemoryFiles: CertificateFiles {
    private let state = Mutex<(files: [String: [UInt8]], isFull: Bool)>(([:], false))

    package struct Full: Error {}

    package init() {}

    package var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    package subscript(name: String) -> [UInt8]? {
        get { state.withLock { $0.files[name] } }
        set { state.withLock { $0.files[name] = newValue } }
    }

    package func read(_ name: String) throws -> [UInt8]? { self[name] }

    package func replace(_ name: String, with bytes: [UInt8]) throws {
        if isFull { throw Full() }
        self[name] = bytes
    }

    package func rename(_ name: String, to other: String) throws {
        state.withLock { $0.files[other] = $0.files.removeValue(forKey: name) }
    }

    package func remove(_ name: String) throws { self[name] = nil }
    package func names() throws -> [String] { state.withLock { Array($0.files.keys) } }
}
