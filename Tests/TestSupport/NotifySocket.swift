import Glibc

/// A datagram socket where a service manager would have one.
package final class NotifySocket: Sendable {
    private let descriptor: Int32

    /// `path`: Begins with a zero for a name in Linux' abstract space. Nil when it cannot be had.
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

    /// What comes next, and nothing when nothing comes for two minutes.
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
