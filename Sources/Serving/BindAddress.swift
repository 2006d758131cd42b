import Glibc

/// Where to listen.
package struct BindAddress: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `192.0.2.1:443` or `[2001:db8::1]:443`.
    ///
    /// `option`: Where the text came from, for the error.
    package init(_ text: String, option: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let port = UInt16(parts.last ?? "") else {
            throw Failure("\(option) \"\(text)\" must be ADDRESS:PORT, such as 0.0.0.0:443 or [::]:443.")
        }
        let host = parts.dropLast().joined(separator: ":")
        self.init(host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, port: Int(port))
    }

    /// Every address of the machine: `[::]`, which takes IPv4 too, or 0.0.0.0 where the kernel has no IPv6.
    package static func everywhere(port: Int) -> BindAddress {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return BindAddress(host: "0.0.0.0", port: port) }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        // An address at hand to bind to: with `ipv6.disable_ipv6=1` there are sockets and none of those.
        let isBound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
        return BindAddress(host: isBound ? "::" : "0.0.0.0", port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Where a server that listens here can be found from the same machine.
    var reachableHost: String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}
