import Glibc

/// A datagram socket in place of a service manager's.
package final class NotifySocket: Sendable {
    private let descriptor: Int32

    /// `path`: Starts with a zero byte for a name in Linux' abstract namespace. Nil when the socket cannot be bound.
    package init?(at path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let bound = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        guard descriptor >= 0, bound == 0 else { return nil }
    }

    /// The next message; empty after two minutes without one.
    package func next() async throws -> String {
        for _ in 0..<6_000 {
            var bytes = [UInt8](repeating: 0, count: 100)
            let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count >= 0 { return String(decoding: bytes.prefix(count), as: UTF8.self) }
            try await Task.sleep(for: .milliseconds(20))
        }
        return ""
    }

    package func close() { _ = Glibc.close(descriptor) }
}
