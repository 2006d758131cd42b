import Foundation
import Testing

/// The allowed imports of every module, with the reason for the restriction. docs/ARCHITECTURE.md has the overview.
@Suite struct ImportTests {
    struct Rule: CustomTestStringConvertible {
        let module: String
        let ours: Set<String>
        let others: Set<String>
        let why: String

        var testDescription: String { module }
    }

    static let rules = [
        Rule(
            module: "IPNetworks", ours: [], others: [],
            why: "addresses are shared by the vault and the servers"),
        Rule(
            module: "Encoding", ours: [], others: ["Swift"],
            why: "encodings are shared by all modules"),
        Rule(
            module: "Secrets", ours: [], others: ["Crypto", "FoundationEssentials", "Glibc"],
            why: "keys are held the same way in all programs"),
        Rule(
            module: "OneTimePasswords", ours: ["Encoding"], others: ["Crypto", "FoundationEssentials"],
            why: "TOTP is shared by fields, owners and the monitor's operators"),
        Rule(
            module: "VaultFormat", ours: ["Encoding", "Secrets"], others: ["Crypto", "FoundationEssentials"],
            why: "the format is shared by the node, the client and the test vectors"),
        Rule(
            module: "Vault", ours: ["Encoding", "IPNetworks", "OneTimePasswords", "VaultFormat"],
            others: ["Crypto", "FoundationEssentials", "Synchronization"],
            why: "the domain does not depend on adapters"),
        Rule(
            module: "Wire", ours: ["Encoding"], others: ["Crypto", "FoundationEssentials"],
            why: "programs share wire formats, not code"),
        Rule(
            module: "SQLite", ours: ["CSQLite"], others: ["Glibc", "Synchronization"],
            why: "the database wrapper knows no domain"),
        Rule(
            module: "Outbound", ours: [], others: ["AsyncHTTPClient", "NIOCore", "NIOPosix", "NIOSSL"],
            why: "connection errors are reported the same for all clients"),
        Rule(
            module: "DNSUpdate", ours: ["Outbound"], others: ["Crypto", "FoundationEssentials", "NIOCore", "NIOPosix"],
            why: "DNS updates are shared by certificates and the fleet"),
        Rule(
            module: "Autocert", ours: ["Encoding", "Outbound"],
            others: [
                "AsyncHTTPClient", "Crypto", "CryptoExtras", "FoundationEssentials", "NIOCore", "NIOHTTP1", "NIOSSL",
                "NIOTLS", "ServiceLifecycle", "SwiftASN1", "Synchronization", "X509",
            ],
            why: "certificates do not depend on vaults"),
        Rule(
            module: "Auth", ours: ["Encoding", "IPNetworks", "OneTimePasswords", "Secrets", "Vault", "VaultFormat"],
            others: ["Crypto", "CryptoExtras", "FoundationEssentials", "Synchronization"],
            why: "authentication does not depend on HTTP or SQL"),
        Rule(
            module: "Storage", ours: ["Auth", "Encoding", "SQLite", "Vault", "VaultFormat"],
            others: ["Crypto", "Synchronization"],
            why: "storage does not depend on HTTP"),
        Rule(
            module: "Files", ours: [], others: ["Glibc"],
            why: "file operations are shared by all modules"),
        Rule(
            module: "Console", ours: [], others: ["Glibc"],
            why: "terminal I/O is shared by all programs"),
        Rule(
            module: "Systemd", ours: [], others: ["Glibc"],
            why: "the systemd protocol does not depend on the program"),
        Rule(
            module: "ServerRuntime",
            ours: ["Autocert", "CProcess", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Systemd"],
            others: [
                "ArgumentParser", "FoundationEssentials", "Glibc", "HTTPTypes", "Hummingbird", "HummingbirdCore",
                "HummingbirdHTTP2", "Logging", "NIOCore", "NIOHTTP2", "NIOHTTPTypes", "NIOPosix", "NIOSSL", "NIOTLS",
                "ServiceLifecycle", "Synchronization", "TOMLKit",
            ],
            why: "the server does not depend on what it serves"),
        Rule(
            module: "Backup", ours: ["Encoding", "Files", "Secrets"],
            others: ["Crypto", "Dispatch", "FoundationEssentials", "Synchronization"],
            why: "backups do not depend on their content"),
        Rule(
            module: "HTTPServing", ours: ["Secrets", "Wire"],
            others: ["FoundationEssentials", "HTTPTypes", "Hummingbird", "NIOCore"],
            why: "the HTTP interfaces share it, whatever they serve"),
        Rule(
            module: "WebAssets", ours: ["CZlib", "Encoding"],
            others: ["Crypto", "HTTPTypes", "Hummingbird", "NIOCore"],
            why: "pages are served alike, whatever they show"),
        Rule(
            module: "API",
            ours: ["Auth", "Encoding", "HTTPServing", "IPNetworks", "Secrets", "Vault", "VaultFormat", "Wire"],
            others: [
                "Crypto", "FoundationEssentials", "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "NIOHTTP1",
                "Synchronization",
            ],
            why: "HTTP does not depend on the store; the program injects it"),
        Rule(
            module: "Telemetry", ours: ["Encoding", "Outbound", "Wire"],
            others: [
                "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Glibc", "Logging", "NIOCore", "NIOHTTP1",
                "NIOSSL", "ServiceLifecycle", "Synchronization",
            ],
            why: "telemetry has no access to the vault"),
        Rule(
            module: "Monitor",
            ours: [
                "CMonitorAssets", "Encoding", "Files", "HTTPServing", "OneTimePasswords", "Outbound", "SQLite",
                "Secrets", "Telemetry", "WebAssets", "Wire",
            ],
            others: [
                "AsyncHTTPClient", "Crypto", "CryptoExtras", "FoundationEssentials", "HTTPTypes", "HeapModule",
                "Hummingbird", "HummingbirdCore", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL",
                "ServiceLifecycle", "Synchronization",
            ],
            why: "the monitor has no access to vaults"),
        Rule(
            module: "Fleet", ours: ["Console", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Outbound", "Wire"],
            others: [
                "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Glibc", "NIOCore", "NIOHTTP1", "Subprocess",
                "SwiftASN1", "Synchronization", "TOMLKit", "X509",
            ],
            why: "the fleet tools reach nodes as clients and over SSH only"),
        Rule(
            module: "clavitor-soc", ours: ["Console", "Files", "Fleet", "Wire"],
            others: ["ArgumentParser", "FoundationEssentials", "Glibc", "Subprocess", "Synchronization", "TOMLKit"],
            why: "a program only wires modules"),
        Rule(
            module: "RootKeySources", ours: ["Files", "VaultFormat"], others: [],
            why: "root key sources do not depend on the node"),
        Rule(
            module: "NodeCore",
            ours: [
                "API", "Auth", "Autocert", "Backup", "Encoding", "Files", "RootKeySources", "SQLite", "ServerRuntime",
                "Storage", "Systemd", "Telemetry", "Vault", "VaultFormat", "Wire",
            ],
            others: [
                "Crypto", "FoundationEssentials", "Glibc", "Hummingbird", "Logging", "NIOCore", "NIOPosix",
                "ServiceLifecycle", "Synchronization",
            ],
            why: "the only module that knows all modules of a node; it parses no arguments"),
        Rule(
            module: "clavitor-node",
            ours: [
                "Auth", "Autocert", "Backup", "Encoding", "Files", "NodeCore", "RootKeySources", "SQLite",
                "ServerRuntime", "Storage", "Vault", "VaultFormat", "Wire",
            ],
            others: ["ArgumentParser", "FoundationEssentials", "Glibc", "Logging", "ServiceLifecycle", "UnixSignals"],
            why: "a program only wires modules"),
        Rule(
            module: "clavitor-monitor",
            ours: ["Autocert", "Backup", "Console", "Files", "Monitor", "Outbound", "SQLite", "ServerRuntime", "Wire"],
            others: [
                "ArgumentParser", "AsyncHTTPClient", "FoundationEssentials", "Glibc", "Hummingbird", "Logging",
                "NIOCore", "NIOHTTP1", "NIOPosix", "ServiceLifecycle", "TOMLKit", "UnixSignals",
            ],
            why: "a program only wires modules"),
        Rule(
            module: "clavitor",
            ours: [
                "CArgon2", "CProcess", "Console", "Encoding", "Files", "OneTimePasswords", "Outbound", "Secrets",
                "VaultFormat", "Wire",
            ],
            others: [
                "ArgumentParser", "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Glibc", "NIOCore", "NIOHTTP1",
                "Swift", "Synchronization",
            ],
            why: "the client shares the vault's formats, and nothing else of the server"),
    ]

    @Test(arguments: rules)
    func importsOnlyAllowedModules(_ rule: Rule) throws {
        var used: Set<String> = []
        for file in try SourceTree.files(in: "Sources/\(rule.module)") {
            let imports = Set(try file.imports)
            let foreign = imports.subtracting(rule.ours).subtracting(rule.others)
            #expect(foreign.isEmpty, "\(file.name) imports \(foreign.sorted()): \(rule.why)")
            used.formUnion(imports)
        }
        // An unused permission must be removed.
        let unused = rule.ours.union(rule.others).subtracting(used)
        #expect(unused.isEmpty, "nothing in \(rule.module) imports \(unused.sorted())")
    }

    @Test func everyModuleHasARule() throws {
        let modules = try SourceTree.folders(in: "Sources").filter {
            !["CProcess", "CSQLite", "CArgon2", "CZlib", "CMonitorAssets"].contains($0)
        }
        #expect(Set(modules) == Set(Self.rules.map(\.module)))
    }

    @Test func noModuleImportsFullFoundation() throws {
        for file in try SourceTree.files(in: "Sources") {
            #expect(try !file.imports.contains("Foundation"), "\(file.name): it would double the binary")
            #expect(!file.text.contains("@_exported"), "\(file.name): each file lists what it uses")
        }
    }

    @Test func columnsAreDecodedByName() throws {
        for file in try SourceTree.files(in: "Sources") where !file.name.hasPrefix("Sources/SQLite/") {
            let position = /(?:row|\$0)\.(?:optional)?(?:int|integer|text|blob|isNull|value|Integer|Blob)\([1-9]/
            #expect(
                file.text.firstMatch(of: position) == nil,
                "\(file.name): a query that changes would silently give another column at that position")
        }
    }

    @Test func filesAreSmall() throws {
        let files = try SourceTree.files(in: "Sources")
        for file in files {
            #expect(file.lines <= 300, "\(file.name) has \(file.lines) lines; split it by subject")
        }
        let median = files.map(\.lines).sorted()[files.count / 2]
        #expect(median <= 130)
    }
}

struct SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File {
        let name: String
        let text: String

        var lines: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }

        var imports: [String] {
            get throws {
                // Most lines are indented or begin otherwise, and a regular expression takes its time.
                text.split(separator: "\n").filter { $0.contains("import ") && $0.first != " " }.compactMap { line in
                    line.firstMatch(
                        of:
                            /^(?:@\w+(?:\(\w+\))? )*(?:package |internal |public |private )?import (?:struct |func |enum )?(\w+)/
                    )
                    .map { String($0.1) }
                }
            }
        }
    }

    static func files(in folder: String) throws -> [File] {
        let base = root.appending(path: folder)
        let all =
            FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        let files = try all.filter { $0.pathExtension == "swift" }.map { url in
            File(
                name: String(url.path(percentEncoded: false).dropFirst(root.path(percentEncoded: false).count)),
                text: try String(contentsOf: url, encoding: .utf8))
        }
        try #require(!files.isEmpty, "no sources in \(folder)")
        return files
    }

    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path(percentEncoded: false))
    }
}
