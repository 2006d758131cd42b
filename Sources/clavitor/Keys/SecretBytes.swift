import Glibc

/// Bytes that are wiped when nobody needs them any more: a password, a master key.
///
/// Noncopyable, and without a description: what cannot be copied cannot be forgotten somewhere.
@safe
struct SecretBytes: ~Copyable {
    private let storage: UnsafeMutableBufferPointer<UInt8>

    /// Takes the bytes of a sequence over; the sequence itself is the caller's to forget.
    init(_ bytes: some Collection<UInt8>) {
        unsafe storage = .allocate(capacity: bytes.count)
        _ = unsafe storage.initialize(from: bytes)
    }

    /// Bytes that `fill` writes, zero before.
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

    /// Lends the bytes. They are gone when `body` returns, as far as the caller is concerned.
    func withBytes<Result: ~Copyable>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        unsafe try body(UnsafeRawBufferPointer(storage))
    }
}
