import Foundation
import TestSupport
import Testing

/// Caddy's `acme_server` as the CA, another implementation than pebble. It validates on ports 80 and 443 only and resolves by
/// the hosts file, so it and the node run in a network namespace, which requires root.
@Suite(.timeLimit(.minutes(15)), .enabled(if: geteuid() == 0, "needs root for a network namespace"))
struct CaddyTests {
    private final class Namespace {
        let name = "clavitor-\(UInt32.random(in: 0...UInt32.max))"
        let scratch: Scratch
        private var processes: [RunningTool] = []

        init() throws {
            scratch = try Scratch()
            _ = try Tool("/usr/sbin/ip", ["netns", "add", name])
            _ = try inside("/usr/sbin/ip", ["link", "set", "lo", "up"])
            let folder = "/etc/netns/\(name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("127.0.0.1 localhost ca.clavitor.test node.clavitor.test\n".utf8).write(
                to: URL(filePath: folder + "/hosts"))
        }

        deinit {
            for process in processes { process.kill() }
            _ = try? Tool("/usr/sbin/ip", ["netns", "del", name])
            try? FileManager.default.removeItem(atPath: "/etc/netns/\(name)")
            scratch.remove()
        }

        func inside(_ program: String, _ arguments: [String]) throws -> String {
            try Tool("/usr/sbin/ip", ["netns", "exec", name, program] + arguments).text
        }

        func start(_ program: String, _ arguments: [String]) throws -> RunningTool {
            let process = try RunningTool(
                "/usr/sbin/ip", ["netns", "exec", name, program] + arguments,
                environment: [
                    "PATH": "/usr/sbin:/usr/bin:/bin", "XDG_DATA_HOME": scratch.file("data"),
                    "XDG_CONFIG_HOME": scratch.file("config"), "HOME": scratch.file("home"),
                ])
            processes.append(process)
            return process
        }

        /// The CA's certificate, as soon as it exists.
        func startCaddy() async throws -> String {
            let file = try scratch.write(CaddyTests.configuration, to: "Caddyfile")
            let caddy = try start("/usr/bin/caddy", ["run", "--config", file, "--adapter", "caddyfile"])
            struct Answer: Decodable { let root_certificate: String }
            var root = ""
            try await caddy.wait { _ in
                let text = try inside("/usr/bin/curl", ["-s", "http://127.0.0.1:2019/pki/ca/test"])
                let answer = try? JSONDecoder().decode(Answer.self, from: Data(text.utf8))
                root = answer?.root_certificate ?? ""
                let directory = try inside("/usr/bin/curl", ["-sk", CaddyTests.directory])
                return !root.isEmpty && directory.contains("newNonce")
            }
            return try scratch.write(root, to: "root.pem")
        }
    }

    private static let directory = "https://ca.clavitor.test:9443/acme/test/directory"

    private static let configuration = """
        {
            admin 127.0.0.1:2019
            skip_install_trust
            auto_https disable_redirects
            https_port 9443
            http_port 9080
            pki {
                ca test {
                    name "Clavitor test CA"
                }
            }
        }
        https://ca.clavitor.test:9443 {
            bind 127.0.0.1
            tls {
                issuer internal {
                    ca test
                }
            }
            acme_server {
                ca test
            }
        }

        """

    @Test(arguments: ["http-01", "tls-alpn-01"])
    func caddyIssuesAndOpenSSLAccepts(_ challenge: String) async throws {
        let machine = try Namespace()
        let root = try await machine.startCaddy()
        let node = try machine.start(
            Program(name: "clavitor-node").url.path,
            [
                "serve", "--dev", "--data", machine.scratch.file("node"), "--domain", "node.clavitor.test", "--https",
                "127.0.0.1:443", "--http", "127.0.0.1:80", "--acme-directory", Self.directory, "--acme-ca-file", root,
                "--acme-challenge", challenge,
            ])
        try await node.wait { $0.text.contains("certificate issued") }
        let visit = try machine.inside(
            "/usr/bin/openssl",
            [
                "s_client", "-connect", "127.0.0.1:443", "-servername", "node.clavitor.test", "-CAfile", root,
                "-verify_return_error", "-verify_hostname", "node.clavitor.test",
            ])
        #expect(visit.contains("Verify return code: 0 (ok)"), "\(visit)")
    }
}
