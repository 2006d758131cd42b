import Files

/// An address and port to listen on.
package struct BindAddress: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `192.0.2.1:443` or `[2001:db8::1]:443`.
    ///
    /// `option`: The name of the option, for the error.
    package init(_ text: String, option: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let port = UInt16(parts.last ?? "") else {
            throw Failure("\(option) \"\(text)\" must be ADDRESS:PORT, such as 0.0.0.0:443 or [::]:443.")
        }
        let host = parts.dropLast().joined(separator: ":")
        self.init(host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, port: Int(port))
    }

    /// All addresses of the machine: `[::]`, which accepts IPv4 too, or 0.0.0.0 where no interface has IPv6.
    package static func everywhere(port: Int) -> BindAddress {
        // Missing without IPv6 in the kernel, empty where it is disabled (proc_net(5)).
        let interfaces = try? File.read("/proc/net/if_inet6", most: 4_096)
        return BindAddress(host: interfaces?.isEmpty == false ? "::" : "0.0.0.0", port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The host at which this machine itself reaches the server.
    var reachableHost: String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}
