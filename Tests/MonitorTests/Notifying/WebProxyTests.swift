import Foundation
import Monitor
import NIOHTTP1
import TestSupport
import Testing

/// Services behind an HTTP proxy.
@Suite(.timeLimit(.minutes(2))) struct WebProxyTests {
    @Test func theProxyComesFromTheEnvironment() throws {
        let proxy = try #require(try WebProxy(file: nil, environment: ["HTTPS_PROXY": "http://proxy.example:3128"]))
        #expect(proxy.host == "proxy.example" && proxy.port == 3_128)
        let lower = try #require(
            try WebProxy(file: nil, environment: ["https_proxy": "10.0.0.1:8888", "HTTPS_PROXY": "http://other"]))
        #expect(lower.host == "10.0.0.1" && lower.port == 8_888)
        #expect(try WebProxy(file: nil, environment: [:]) == nil)
        #expect(try WebProxy(file: nil, environment: ["HTTPS_PROXY": ""]) == nil)
        let file = try #require(
            try WebProxy(file: "http://user:p%40ss@proxy.example\n", environment: ["HTTPS_PROXY": "http://other"]))
        #expect(file.host == "proxy.example" && file.port == 8_080)
    }

    @Test(arguments: [
        ("https://proxy.example", WebProxyError.scheme), ("socks5://proxy.example", .scheme), ("http://", .malformed),
        ("http://a b", .malformed), ("http://user:hunter2@proxy.example", .passwordInEnvironment),
    ])
    func errorsContainNoPassword(_ text: String, _ error: WebProxyError) {
        #expect(throws: error) { try WebProxy(file: nil, environment: ["HTTPS_PROXY": text]) }
        #expect(!error.description.contains("hunter2"))
    }

    @Test(arguments: [
        ("", "hooks.example", true), ("example", "hooks.example", false), (".example", "hooks.example", false),
        ("a.test, hooks.example", "HOOKS.example", false), ("ooks.example", "hooks.example", true),
        ("*", "hooks.example", false), ("hooks.example", "my.hooks.example", false),
    ])
    func exceptionsAreNamesAndSuffixes(_ list: String, _ host: String, _ serves: Bool) throws {
        let proxy = try WebProxy(
            file: nil, environment: ["HTTPS_PROXY": "http://proxy.example", "NO_PROXY": list])
        #expect(proxy?.serves(host) == serves)
    }

    private static let program = """
        import base64, select, socket, sys
        server = socket.create_server(("127.0.0.1", 0))
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            head = b""
            while b"\\r\\n\\r\\n" not in head: head += client.recv(1)
            lines = head.decode().split("\\r\\n")
            basic = [l for l in lines if l.lower().startswith("proxy-authorization: basic ")]
            user = base64.b64decode(basic[0].split()[-1]).decode() if basic else "-"
            print(lines[0].split()[0], lines[0].split()[1], user, flush=True)
            host, port = lines[0].split()[1].rsplit(":", 1)
            other = socket.create_connection(("127.0.0.1", int(port)))
            client.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
            ends = [client, other]
            while True:
                ready, _, _ = select.select(ends, [], [])
                data = ready[0].recv(65536)
                if not data: break
                (other if ready[0] is client else client).sendall(data)
            client.close(); other.close()
        """

    /// A real proxy, by CONNECT, with end-to-end TLS.
    @Test func aMessageIsSentThroughAProxy() async throws {
        let process = try RunningTool("/usr/bin/python3", ["-c", Self.program])
        try await process.wait { $0.output.hasSuffix("\n") }
        let port = process.output.dropLast()
        try await WebServer.with { server in
            let proxy = try WebProxy(file: "http://me:s3cret@127.0.0.1:\(port)", environment: [:])
            let web = try WebSender(trustedPEM: server.certificate, proxy: proxy)
            let factory = ChannelFactory(send: web.send, post: ScriptedNetwork().post) { file in
                Array(file == "/url" ? "https://localhost:\(server.port)/hooks/9f8e7d6c5b".utf8 : "signing key".utf8)
            }
            let hook = ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/url", keyFile: "/key")))
            let sender = try factory.senders(NotificationSettings(channels: [hook]))[0]
            try await sender.send(aMessage(), aMessage().at)
            #expect(await web.isAnswered("https://localhost:\(server.port)/readyz"))
            try await web.shutdown()
            #expect(server.seen.first?.head.uri == "/hooks/9f8e7d6c5b")
            #expect(
                process.output.split(separator: "\n").dropFirst().first == "CONNECT localhost:\(server.port) me:s3cret")
        }
    }
}
