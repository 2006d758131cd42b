import Foundation
import Testing

/// The table of docs/ARCHITECTURE.md as a test: which module may import what, and why it may not import more.
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
            why: "addresses are independent of vault and server"),
        Rule(
            module: "Encoding", ours: [], others: ["Swift"],
            why: "encodings are independent of their users"),
        Rule(
            module: "OneTimePasswords", ours: ["Encoding"], others: ["Crypto", "FoundationEssentials"],
            why: "codes of vaults, owners and operators share one implementation"),
        Rule(
            module: "VaultFormat", ours: ["Encoding"], others: ["Crypto", "FoundationEssentials"],
            why: "a secret box is the same for the node, the client and the vectors"),
        Rule(
            module: "Vault", ours: ["Encoding", "IPNetworks", "OneTimePasswords", "VaultFormat"],
            others: ["Crypto", "FoundationEssentials", "Synchronization"],
            why: "the domain depends on no adapter"),
        Rule(
            module: "Wire", ours: ["Encoding"], others: ["Crypto", "FoundationEssentials"],
            why: "our programs share words, not code"),
        Rule(
            module: "SQLite", ours: ["CSQLite"], others: ["Glibc", "Synchronization"],
            why: "how bytes stay on disk is nobody's business"),
        Rule(
            module: "Outbound", ours: [], others: ["AsyncHTTPClient", "NIOCore", "NIOPosix", "NIOSSL"],
            why: "why nobody answers is said alike, whoever was asked"),
        Rule(
            module: "DNSUpdate", ours: ["Outbound"], others: ["Crypto", "FoundationEssentials", "NIOCore", "NIOPosix"],
            why: "how a name is changed is the same for whoever changes it"),
        Rule(
            module: "Autocert", ours: ["Encoding", "Outbound"],
            others: [
                "AsyncHTTPClient", "Crypto", "CryptoExtras", "FoundationEssentials", "NIOCore", "NIOHTTP1", "NIOSSL",
                "NIOTLS", "ServiceLifecycle", "SwiftASN1", "Synchronization", "X509",
            ],
            why: "certificates know nothing of vaults"),
        Rule(
            module: "Auth", ours: ["Encoding", "IPNetworks", "OneTimePasswords", "Vault", "VaultFormat"],
            others: ["Crypto", "FoundationEssentials", "Synchronization"],
            why: "authentication is independent of HTTP and SQL"),
        Rule(
            module: "Storage", ours: ["Auth", "Encoding", "SQLite", "Vault", "VaultFormat"],
            others: ["Crypto", "Synchronization"],
            why: "the store is independent of HTTP"),
        Rule(
            module: "Files", ours: [], others: ["Glibc"],
            why: "what a disk does is the same for whoever writes to it"),
        Rule(
            module: "Console", ours: [], others: ["Glibc"],
            why: "what a person types and sees is the same for whoever asks"),
        Rule(
            module: "Systemd", ours: [], others: ["Glibc"],
            why: "whoever supervises a program need not know what it is"),
        Rule(
            module: "Serving",
            ours: ["Autocert", "CProcess", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Systemd"],
            others: [
                "ArgumentParser", "FoundationEssentials", "Glibc", "HTTPTypes", "Hummingbird", "HummingbirdCore",
                "HummingbirdHTTP2", "Logging", "NIOCore", "NIOHTTP2", "NIOHTTPTypes", "NIOPosix", "NIOSSL", "NIOTLS",
                "ServiceLifecycle", "Synchronization", "TOMLKit",
            ],
            why: "how a program is reached has nothing to do with what it serves"),
        Rule(
            module: "Backup", ours: ["Encoding", "Files"],
            others: ["Crypto", "Dispatch", "FoundationEssentials", "Glibc", "Synchronization"],
            why: "a backup is a file; what is in it is somebody else's"),
        Rule(
            module: "API", ours: ["Auth", "Encoding", "IPNetworks", "Vault", "VaultFormat", "Wire"],
            others: [
                "Crypto", "FoundationEssentials", "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "NIOHTTP1",
                "Synchronization",
            ],
            why: "HTTP never sees the store: the program hands it one"),
        Rule(
            module: "Telemetry", ours: ["Encoding", "Outbound", "Wire"],
            others: [
                "AsyncHTTPClient", "FoundationEssentials", "Glibc", "Logging", "NIOCore", "NIOHTTP1", "NIOSSL",
                "ServiceLifecycle", "Synchronization",
            ],
            why: "what a node says of itself can neither see nor slow the vault"),
        Rule(
            module: "Monitor",
            ours: [
                "CMonitorAssets", "Encoding", "Files", "OneTimePasswords", "Outbound", "SQLite", "Telemetry", "Wire",
            ],
            others: [
                "AsyncHTTPClient", "Crypto", "CryptoExtras", "FoundationEssentials", "HTTPTypes", "HeapModule",
                "Hummingbird", "HummingbirdCore", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL",
                "ServiceLifecycle", "Synchronization",
            ],
            why: "who judges the fleet has no way into a vault"),
        Rule(
            module: "Fleet", ours: ["Console", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Outbound", "Wire"],
            others: [
                "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Glibc", "NIOCore", "NIOHTTP1", "Subprocess",
                "SwiftASN1", "Synchronization", "TOMLKit", "X509",
            ],
            why: "who changes nodes speaks to them as any client does, and over SSH"),
        Rule(
            module: "clavitor-soc", ours: ["Console", "Files", "Fleet", "Wire"],
            others: ["ArgumentParser", "FoundationEssentials", "Glibc", "Subprocess", "Synchronization", "TOMLKit"],
            why: "a program wires"),
        Rule(
            module: "RootKeySources", ours: ["Files", "VaultFormat"], others: [],
            why: "where root keys come from is all that it knows"),
        Rule(
            module: "NodeCore",
            ours: [
                "API", "Auth", "Autocert", "Backup", "Encoding", "Files", "RootKeySources", "SQLite", "Serving",
                "Storage", "Systemd", "Telemetry", "Vault", "VaultFormat", "Wire",
            ],
            others: [
                "Crypto", "FoundationEssentials", "Hummingbird", "Logging", "NIOCore", "NIOPosix", "ServiceLifecycle",
                "Synchronization",
            ],
            why: "the one place that knows every module of a node; it parses no arguments"),
        Rule(
            module: "clavitor-node",
            ours: [
                "Auth", "Autocert", "Backup", "Encoding", "Files", "NodeCore", "RootKeySources", "SQLite", "Serving",
                "Storage", "Vault", "VaultFormat", "Wire",
            ],
            others: ["ArgumentParser", "FoundationEssentials", "Glibc", "Logging", "ServiceLifecycle", "UnixSignals"],
            why: "a program wires"),
        Rule(
            module: "clavitor-monitor",
            ours: ["Autocert", "Backup", "Console", "Files", "Monitor", "Outbound", "SQLite", "Serving", "Wire"],
            others: [
                "ArgumentParser", "AsyncHTTPClient", "FoundationEssentials", "Glibc", "Hummingbird", "Logging",
                "NIOCore", "NIOHTTP1", "NIOPosix", "ServiceLifecycle", "TOMLKit", "UnixSignals",
            ],
            why: "a program wires"),
        Rule(
            module: "clavitor",
            ours: [
                "CArgon2", "CProcess", "Console", "Encoding", "Files", "OneTimePasswords", "Outbound", "VaultFormat",
                "Wire",
            ],
            others: [
                "ArgumentParser", "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Glibc", "NIOCore", "NIOHTTP1",
                "Swift", "Synchronization",
            ],
            why: "the client has the vault's formats and nothing of the server"),
    ]

    @Test(arguments: rules)
    func importsWhatTheTableAllows(_ rule: Rule) throws {
        var used: Set<String> = []
        for file in try SourceTree.files(in: "Sources/\(rule.module)") {
            let imports = Set(try file.imports)
            let foreign = imports.subtracting(rule.ours).subtracting(rule.others)
            #expect(foreign.isEmpty, "\(file.name) imports \(foreign.sorted()): \(rule.why)")
            used.formUnion(imports)
        }
        // A permission that nobody uses is a door left open.
        let unused = rule.ours.union(rule.others).subtracting(used)
        #expect(unused.isEmpty, "nothing in \(rule.module) imports \(unused.sorted())")
    }

    @Test func everyModuleHasARule() throws {
        let modules = try SourceTree.folders(in: "Sources").filter {
            !["CProcess", "CSQLite", "CArgon2", "CMonitorAssets"].contains($0)
        }
        #expect(Set(modules) == Set(Self.rules.map(\.module)))
    }

    @Test func nobodyImportsFullFoundation() throws {
        for file in try SourceTree.files(in: "Sources") {
            #expect(try !file.imports.contains("Foundation"), "\(file.name): it would double the binary")
            #expect(!file.text.contains("@_exported"), "\(file.name): each file lists what it uses")
        }
    }

    @Test func rawMemoryIsTouchedInFewPlaces() throws {
        let allowed = [
            "Sources/SQLite/", "Sources/Files/", "Sources/Backup/SecretMemory.swift",
            "Sources/VaultFormat/SecretBytes.swift", "Sources/Serving/JSONLog.swift",
            "Sources/Serving/ProcessMemory.swift",
            "Sources/Serving/HTTPS/LoopExecutor.swift", "Sources/clavitor/", "Sources/Console/", "Sources/Systemd/",
            "Sources/Telemetry/Machine/Machine+Host.swift", "Sources/Monitor/HTTP/Operators.swift",
            "Sources/Monitor/HTTP/PageRoutes.swift",
        ]
        for file in try SourceTree.files(in: "Sources") where !allowed.contains(where: file.name.hasPrefix) {
            #expect(
                file.text.firstMatch(of: /\bunsafe\b/) == nil, "\(file.name): pointer code stays where it is looked for"
            )
        }
    }

    @Test func columnsAreDecodedByName() throws {
        for file in try SourceTree.files(in: "Sources/Storage") {
            let position = /(?:row|\$0)\.(?:optional)?(?:int|integer|text|blob|isNull|value|Integer|Blob)\([1-9]/
            #expect(
                file.text.firstMatch(of: position) == nil,
                "\(file.name): a query that changes would silently give another column at that position")
        }
    }

    @Test func filesStaySmall() throws {
        let files = try SourceTree.files(in: "Sources")
        for file in files {
            #expect(file.lines <= 400, "\(file.name) has \(file.lines) lines: is it one thing?")
        }
        let median = files.map(\.lines).sorted()[files.count / 2]
        #expect(median <= 150)
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
                text.split(separator: "\n").compactMap { line in
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
