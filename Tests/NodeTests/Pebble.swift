import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// pebble and its DNS server as processes: a CA with real validation, on separate ports.
final class Pebble {
    let scratch: Scratch
    /// The ports for validation.
    let httpPort: Int
    let tlsPort: Int
    private let port: Int
    private let managementPort: Int
    private var processes: [RunningTool] = []

    struct Options {
        /// Percentages of rejected nonces and reused authorizations.
        var badNonces = 5
        var reuse = 0
        /// Seconds.
        var validity = 86_400
        var externalAccount: (keyID: String, key: String)?
        /// A name server instead of the one that resolves everything to 127.0.0.1.
        var dns: (address: String, port: Int)?
        /// Alternative roots of the certificate.
        var alternates = 0
        /// The maximum delay of a validation in seconds.
        var delay: Int?
    }

    init(_ options: Options = Options()) throws {
        scratch = try Scratch()
        let ports = try (0..<6).map { _ in try FreePort.take() }
        (port, managementPort, httpPort, tlsPort) = (ports[0], ports[1], ports[2], ports[3])
        _ = try Tool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=pebble", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                scratch.file("key.pem"),
                "-out", scratch.file("ca.pem"),
            ])
        var settings: [String: Any] = [
            "listenAddress": "127.0.0.1:\(port)", "managementListenAddress": "127.0.0.1:\(managementPort)",
            "certificate": scratch.file("ca.pem"), "privateKey": scratch.file("key.pem"), "httpPort": httpPort,
            "tlsPort": tlsPort, "ocspResponderURL": "", "certificateValidityPeriod": options.validity,
            "externalAccountBindingRequired": options.externalAccount != nil,
        ]
        if let external = options.externalAccount {
            settings["externalAccountMACKeys"] = [external.keyID: external.key]
        }
        let configuration = try JSONSerialization.data(withJSONObject: ["pebble": settings])
        try configuration.write(to: scratch.url("pebble.json"))
        if options.dns == nil {
            processes.append(
                try RunningTool(
                    "/usr/bin/pebble-challtestsrv",
                    [
                        "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "", "-defaultIPv4",
                        "127.0.0.1",
                        "-dns01", "127.0.0.1:\(ports[4])", "-management", "127.0.0.1:\(ports[5])",
                    ]))
        }
        var environment = [
            "PEBBLE_WFE_NONCEREJECT": "\(options.badNonces)", "PEBBLE_AUTHZREUSE": "\(options.reuse)",
            "PEBBLE_ALTERNATE_ROOTS": "\(options.alternates)",
        ]
        if let delay = options.delay {
            environment["PEBBLE_VA_SLEEPTIME"] = "\(delay)"
        } else {
            environment["PEBBLE_VA_NOSLEEP"] = "1"
        }
        let dns = options.dns ?? ("127.0.0.1", ports[4])
        let pebble = try RunningTool(
            "/usr/bin/pebble",
            ["-strict", "-config", scratch.file("pebble.json"), "-dnsserver", "\(dns.address):\(dns.port)"],
            environment: environment)
        processes.append(pebble)
        try pebble.wait { _ in
            try Tool("/usr/bin/curl", ["-s", "--cacert", scratch.file("ca.pem"), directory]).output.contains("newNonce")
        }
    }

    deinit {
        for process in processes { process.kill() }
        scratch.remove()
    }

    var directory: String { "https://localhost:\(port)/dir" }
    var trust: String { scratch.file("ca.pem") }

    /// The root of its certificates.
    func root(_ number: Int = 0) throws -> String {
        let answer = try Tool(
            "/usr/bin/curl", ["-s", "--cacert", trust, "https://localhost:\(managementPort)/roots/\(number)"])
        return try scratch.write(answer.output, to: "root.pem")
    }
}
