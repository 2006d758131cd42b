package import DNSUpdate
import Foundation
import NIOCore
import NIOPosix

/// Knot DNS as a process on a loopback address and port of its own, the primary of `example.org`. Stops when it is let
/// go.
package final class KnotServer: Sendable {
    package static let secret = Data((0..<32).map { UInt8($0) }).base64EncodedString()
    package static let otherSecret = Data(repeating: 7, count: 32).base64EncodedString()

    /// Any of 127.0.0.0/8, so that no other program's client is given the port before we take it.
    package let address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 1...254))"
    package let port: Int
    private let scratch: Scratch
    private let process: RunningTool

    package init() throws {
        scratch = try Scratch()
        port = try FreePort.take(on: address)
        let configuration = try scratch.write(Self.configuration(scratch.path, address, port), to: "knot.conf")
        try scratch.write(Self.zone, to: "example.org.zone")
        process = try RunningTool("/usr/sbin/knotd", ["-c", configuration])
        try process.wait { _ in try kdig("+short", "example.org", "SOA").contains("hostmaster") }
    }

    deinit { process.stop() }

    /// `late`: How many seconds its clock is behind.
    package func updater(
        zone: String = "example.org", key: String? = "hmac-sha256:acme.key:\(secret)", late: Int64 = 0
    ) throws -> DNSUpdater {
        DNSUpdater(
            server: (address, port), zone: try DNSName(zone), key: try key.map { text in try TSIGKey(text) },
            now: { Int64(Date().timeIntervalSince1970) - late })
    }

    /// A file with the key that may update, as programs read it.
    package func keyFile() throws -> String {
        try scratch.write("hmac-sha256:acme.key:\(Self.secret)\n", to: "key")
    }

    /// The records of a name as `kdig` reads them, sorted; over TCP, where a long answer fits.
    package func lookUp(_ name: String, _ type: String) throws -> [String] {
        try kdig("+short", name, type).split(separator: "\n").map(String.init).sorted()
    }

    private func kdig(_ arguments: String...) throws -> String {
        try Tool(
            "/usr/bin/kdig", ["@\(address)", "-p", "\(port)", "+tcp", "+timeout=10", "+retry=2"] + arguments
        ).output
    }

    /// Three keys: two that may update, and one that is known and may not.
    private static func configuration(_ folder: String, _ address: String, _ port: Int) -> String {
        """
        server:
            rundir: "\(folder)"
            listen: \(address)@\(port)
            tcp-workers: 1
            udp-workers: 1
            background-workers: 1
        log:
          - target: stdout
            any: info
        database:
            storage: "\(folder)"
        key:
          - id: acme.key
            algorithm: hmac-sha256
            secret: \(secret)
          - id: long.key
            algorithm: hmac-sha512
            secret: \(secret)
          - id: reader.key
            algorithm: hmac-sha256
            secret: \(secret)
        acl:
          - id: update
            key: [acme.key, long.key]
            action: update
          - id: read
            key: reader.key
            action: transfer
        zone:
          - domain: example.org
            storage: "\(folder)"
            file: example.org.zone
            acl: [update, read]

        """
    }

    private static let zone = """
        $ORIGIN example.org.
        $TTL 300
        @ SOA ns hostmaster 1 3600 600 86400 300
        @ NS ns
        ns A 127.0.0.1

        """
}
