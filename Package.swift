// swift-tools-version:6.2

import PackageDescription

/// The same rules for every target. Why each: docs/decisions/0001-house-settings.md.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
    name: "clavitor",
    products: [
        .executable(name: "clavitor-node", targets: ["clavitor-node"]),
        .executable(name: "clavitor", targets: ["clavitor"]),
        .executable(name: "clavitor-monitor", targets: ["clavitor-monitor"]),
        .executable(name: "clavitor-soc", targets: ["clavitor-soc"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit.git", exact: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", exact: "1.0.2", traits: []),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CSQLite"),
        .systemLibrary(name: "CArgon2"),
        .systemLibrary(name: "CZlib"),
        .target(name: "CProcess"),
        // The monitor's pages, embedded.
        .target(name: "CMonitorAssets", exclude: ["web"]),

        // Leaves: import nothing of ours.
        .target(name: "IPNetworks", swiftSettings: house),
        .target(name: "Encoding", swiftSettings: house),
        .target(name: "Secrets", dependencies: [crypto], swiftSettings: house),
        .target(name: "Wire", dependencies: ["Encoding", crypto], swiftSettings: house),
        .target(name: "Files", swiftSettings: house),
        .target(name: "Systemd", swiftSettings: house),
        .target(name: "Console", swiftSettings: house),
        .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: house),
        .target(name: "Outbound", dependencies: [httpClient, nioCore, nioPosix, nioSSL], swiftSettings: house),
        .target(name: "DNSUpdate", dependencies: ["Outbound", crypto, nioCore, nioPosix], swiftSettings: house),
        .target(
            name: "Autocert",
            dependencies: [
                "Encoding", "Outbound", crypto, nioCore, nioSSL, logging, lifecycle, httpClient,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: house
        ),

        // Built on the leaves; adapters do not know each other.
        .target(name: "OneTimePasswords", dependencies: ["Encoding", crypto], swiftSettings: house),
        .target(name: "VaultFormat", dependencies: ["Encoding", "Secrets", crypto], swiftSettings: house),
        .target(
            name: "Vault", dependencies: ["Encoding", "IPNetworks", "OneTimePasswords", "VaultFormat", crypto],
            swiftSettings: house),
        .target(
            name: "Auth",
            dependencies: [
                "Encoding", "IPNetworks", "OneTimePasswords", "Secrets", "Vault", "VaultFormat", crypto,
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: house),
        .target(
            name: "Storage", dependencies: ["Encoding", "Vault", "VaultFormat", "Auth", "SQLite"], swiftSettings: house),
        .target(name: "Backup", dependencies: ["Encoding", "Files", "Secrets", crypto], swiftSettings: house),
        // What the HTTP interfaces of node and monitor share.
        .target(
            name: "HTTPServing",
            dependencies: [
                "Secrets", "Wire", httpTypes, nioCore, .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: house),
        .target(
            name: "WebAssets",
            dependencies: [
                "CZlib", "Encoding", crypto, httpTypes, nioCore, .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: house),
        .target(
            name: "API",
            dependencies: [
                "Encoding", "HTTPServing", "IPNetworks", "Secrets", "Vault", "VaultFormat", "Auth", "Wire", crypto,
                httpTypes,
                logging, nioCore,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: house
        ),

        .target(
            name: "ServerRuntime",
            dependencies: [
                "Autocert", "CProcess", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Systemd", arguments,
                httpTypes, lifecycle, logging, nioCore, nioPosix, nioSSL,
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                toml,
            ],
            swiftSettings: house
        ),
        .target(
            name: "Telemetry",
            dependencies: [
                "Encoding", "Outbound", "Wire", httpClient, lifecycle, logging, nioCore, nioSSL,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Monitor",
            dependencies: [
                "CMonitorAssets", "Encoding", "Files", "HTTPServing", "OneTimePasswords", "Outbound", "SQLite",
                "Secrets", "Telemetry", "WebAssets", "Wire",
                crypto, httpClient, httpTypes,
                lifecycle, logging, nioCore,
                nioPosix,
                nioSSL,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house
        ),

        .target(
            name: "Fleet",
            dependencies: [
                "Console", "DNSUpdate", "Encoding", "Files", "IPNetworks", "Outbound", "Wire", crypto, httpClient,
                nioCore,
                nioPosix, nioSSL, subprocess, toml,
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house
        ),

        .target(
            name: "RootKeySources", dependencies: ["Files", "VaultFormat"], swiftSettings: house),
        // The node put together: serves the program and the tests alike.
        .target(
            name: "NodeCore",
            dependencies: [
                "API", "Auth", "Autocert", "Backup", "Encoding", "Files", "RootKeySources", "SQLite", "ServerRuntime",
                "Storage", "Systemd", "Telemetry", "Vault", "VaultFormat", "Wire", lifecycle, logging, nioCore,
                nioPosix,
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: house),

        // Programs: arguments, configuration and wiring.
        .executableTarget(
            name: "clavitor-node",
            dependencies: [
                "API", "Auth", "Autocert", "Backup", "Files", "NodeCore", "RootKeySources", "SQLite", "ServerRuntime",
                "Storage", "Systemd", "Telemetry",
                "Vault", "VaultFormat", "Wire", arguments, lifecycle, logging, nioCore, nioPosix,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "clavitor",
            dependencies: [
                "CArgon2", "CProcess", "Console", "Encoding", "Files", "OneTimePasswords", "Outbound", "Secrets",
                "VaultFormat", "Wire", arguments,
                crypto, httpClient,
                nioCore,
                nioSSL,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house
        ),

        .executableTarget(
            name: "clavitor-monitor",
            dependencies: [
                "Autocert", "Backup", "Files", "Monitor", "Console", "Outbound", "SQLite", "ServerRuntime", "Wire",
                arguments,
                httpClient, lifecycle, logging, nioCore,
                nioPosix,
                nioSSL,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
                toml,
            ],
            swiftSettings: house
        ),

        .executableTarget(
            name: "clavitor-soc",
            dependencies: ["Console", "Files", "Fleet", "Wire", arguments, subprocess, toml],
            swiftSettings: house
        ),

        // Tests.
        .target(name: "CSpawn", path: "Tests/CSpawn"),
        .target(
            name: "TestSupport",
            dependencies: [
                "CProcess", "CSpawn", "NodeCore",
                "Auth", "Autocert", "DNSUpdate", "Encoding", "IPNetworks", "SQLite", "Storage", "Vault", "VaultFormat",
                crypto, nioCore, nioPosix,
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: house),
        .testTarget(name: "ArchitectureTests", swiftSettings: house),
        .testTarget(
            name: "NodeTests",
            dependencies: [
                "HTTPServing", "NodeCore", "RootKeySources",
                "API", "Auth", "Autocert", "Files", "IPNetworks", "OneTimePasswords", "SQLite", "ServerRuntime",
                "Storage",
                "TestSupport", "Vault", "Secrets", "VaultFormat",
                "Wire",
                "clavitor-node",
                "clavitor", "clavitor-monitor", arguments, crypto, httpClient, lifecycle, logging, nioCore, nioPosix,
                nioSSL,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "RootKeySourcesTests", dependencies: ["Files", "RootKeySources", "TestSupport", "VaultFormat"],
            swiftSettings: house),
        .testTarget(
            name: "OutboundTests", dependencies: ["Outbound", "TestSupport", httpClient, nioSSL], swiftSettings: house),
        .testTarget(
            name: "WebAssetsTests",
            dependencies: [
                "TestSupport", "WebAssets", crypto, httpTypes, nioCore,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: house),
        .testTarget(name: "SecretsTests", dependencies: ["Secrets", crypto], swiftSettings: house),
        .testTarget(name: "EncodingTests", dependencies: ["Encoding", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "DNSUpdateTests", dependencies: ["DNSUpdate", "TestSupport", crypto, nioCore, nioPosix],
            swiftSettings: house),
        .testTarget(
            name: "AutocertTests",
            dependencies: [
                "Autocert", "TestSupport", "Vault", "VaultFormat", crypto, nioCore, nioPosix, nioSSL,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: house
        ),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "ServerRuntimeTests",
            dependencies: [
                "Autocert", "ServerRuntime", "TestSupport", httpTypes, logging, nioCore, nioPosix,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ], swiftSettings: house),
        .testTarget(name: "IPNetworksTests", dependencies: ["IPNetworks", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "VaultTests",
            dependencies: [
                "Encoding", "IPNetworks", "OneTimePasswords", "Vault", "Secrets", "VaultFormat", "TestSupport", crypto,
            ],
            swiftSettings: house),
        .testTarget(
            name: "AuthTests",
            dependencies: [
                "Auth", "Encoding", "IPNetworks", "OneTimePasswords", "SQLite", "Storage", "Vault", "Secrets",
                "VaultFormat", "TestSupport", crypto,
            ],
            swiftSettings: house),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Auth", "Files", "IPNetworks", "OneTimePasswords", "SQLite", "Storage", "Vault", "Secrets",
                "VaultFormat",
                "TestSupport", crypto,
            ],
            swiftSettings: house),
        .testTarget(
            name: "ClavitorTests",
            dependencies: ["Console", "Vault", "Secrets", "VaultFormat", "Wire", "clavitor", arguments, crypto],
            swiftSettings: house),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "Telemetry", "TestSupport", "Wire", lifecycle, logging, nioCore, nioPosix, nioSSL,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ], swiftSettings: house),
        .testTarget(
            name: "MonitorTests",
            dependencies: [
                "Autocert", "Fleet", "Monitor", "OneTimePasswords", "SQLite", "ServerRuntime",
                "TestSupport", "WebAssets", "Wire", crypto,
                httpClient, lifecycle, logging, nioCore, nioPosix, nioSSL,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                toml,
            ],
            exclude: ["Planning/zones.py"],
            swiftSettings: house),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "DNSUpdate", "Files", "Fleet", "TestSupport", "Wire", "clavitor-soc", arguments, crypto, httpClient,
                nioCore, nioPosix, nioSSL, subprocess, toml,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(name: "ConsoleTests", dependencies: ["Console"], swiftSettings: house),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "BackupTests", dependencies: ["Backup", "Encoding", "TestSupport", "Files"], swiftSettings: house),
    ]
)
