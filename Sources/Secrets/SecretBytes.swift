import Glibc

/// Secret bytes, such as a password or the raw form of a key, that are wiped when released.
///
/// Noncopyable and without a description, so that no copy is left behind.
@safe
package struct SecretBytes: ~Copyable {
    private let storage: UnsafeMutableBufferPointer<UInt8>

    /// Allocates `count` bytes, which `fill` must write.
    package init(count: Int, filledBy fill: (inout OutputSpan<UInt8>) -> Void) {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        fill(&output)
        let written = unsafe output.finalize(for: buffer)
        precondition(written == count, "a secret must be written completely")
        unsafe storage = buffer
    }

    /// Copies a sequence. The caller must dispose of the original.
    package init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { output in
            for byte in bytes { output.append(byte) }
        }
    }

    deinit {
        if let start = unsafe storage.baseAddress { unsafe explicit_bzero(start, storage.count) }
        unsafe storage.deallocate()
    }

    package var count: Int { unsafe storage.count }

    /// Lends the bytes for the duration of `body`.
    package func withBytes<Result: ~Copyable>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try body(unsafe storage.span)
    }

    /// The bytes as UTF-8 text, to be printed or sent. A `String` cannot be wiped.
    package var text: String { unsafe String(decoding: storage, as: UTF8.self) }
}
