import Glibc

/// Secret bytes, such as a password or key, that are wiped when released.
///
/// Noncopyable and without a description, so that no copy is left behind.
@safe
struct SecretBytes: ~Copyable {
    private let storage: UnsafeMutableBufferPointer<UInt8>

    /// Copies a sequence. The caller must dispose of the original.
    init(_ bytes: some Collection<UInt8>) {
        unsafe storage = .allocate(capacity: bytes.count)
        _ = unsafe storage.initialize(from: bytes)
    }

    /// Allocates zeroed bytes and fills them with `fill`.
    init(count: Int, filledBy fill: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
        unsafe storage = .allocate(capacity: count)
        unsafe storage.initialize(repeating: 0)
        unsafe try fill(storage)
    }

    deinit {
        if let start = unsafe storage.baseAddress { unsafe explicit_bzero(start, storage.count) }
        unsafe storage.deallocate()
    }

    var count: Int { unsafe storage.count }

    /// Gives access to the bytes for the duration of `body`.
    func withBytes<Result: ~Copyable>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        unsafe try body(UnsafeRawBufferPointer(storage))
    }
}
