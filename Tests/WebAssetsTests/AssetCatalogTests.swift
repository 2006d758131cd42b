import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOFoundationEssentialsCompat
import TestSupport
import Testing
import WebAssets

@Suite struct AssetCatalogTests {
    private static let page = """
        <!doctype html>
        <link rel="stylesheet" href="/assets/site.css">
        <script type="module" src="/assets/main.js"></script>
        <use href="/assets/map.svg#land"/>
        """
    private static let filler = String(repeating: "// a comment that compresses well\n", count: 20)

    private static func catalog(leaf: String = "export const a = 1;\n", style: String = "a { color: red }")
        -> AssetCatalog
    {
        AssetCatalog([
            asset("/", "text/html; charset=utf-8", page),
            asset("/api.json", "application/json", "{}"),
            asset("/assets/site.css", "text/css; charset=utf-8", style),
            asset("/assets/map.svg", "image/svg+xml", "<svg/>"),
            asset(
                "/assets/main.js", "text/javascript; charset=utf-8",
                "import { a } from \"./leaf.js\";\nimport {\n  b,\n} from \"./twig.js\";\n\(filler)"),
            asset("/assets/twig.js", "text/javascript; charset=utf-8", "export { a as b } from \"./leaf.js\";\n"),
            asset("/assets/leaf.js", "text/javascript; charset=utf-8", leaf),
            asset("/assets/other.js", "text/javascript; charset=utf-8", "import \"./leaf.js\";\n"),
        ])
    }

    private static func asset(_ path: String, _ type: String, _ text: String) -> Asset {
        Asset(path: path, mediaType: type, bytes: Array(text.utf8))
    }

    private func get(
        _ path: String, _ headers: HTTPFields = [:], from catalog: AssetCatalog
    ) async throws -> TestResponse {
        let router = Router(options: .autoGenerateHeadEndpoints)
        catalog.add(to: router.group())
        return try await Application(router: router).test(.router) { client in
            try await client.execute(uri: path, method: .get, headers: headers)
        }
    }

    @Test func aPageNamesOneVersionOfItsAssetsWithTheirIntegrity() async throws {
        let catalog = Self.catalog()
        let html = try await String(buffer: get("/", from: catalog).body)
        let folder = "/assets/\(catalog.version)/"
        #expect(!html.replacing(folder, with: "").contains("/assets/"))
        #expect(html.contains("<link rel=\"stylesheet\" href=\"\(folder)site.css\" integrity=\"sha384-"))
        #expect(html.contains("<script type=\"module\" src=\"\(folder)main.js\" integrity=\"sha384-"))
        #expect(html.contains("<use href=\"\(folder)map.svg#land\"/>"))
        // What is imported is loaded early, what needs nothing first; what is not imported is not loaded.
        let preloaded = html.split(separator: "\n").filter { $0.contains("modulepreload") }
        #expect(preloaded.count == 2)
        #expect(preloaded.first?.contains("leaf.js") == true && preloaded.last?.contains("twig.js") == true)
        #expect(!html.contains("other.js"))
    }

    @Test func thePolicyAllowsTheImportMapByItsHashAlone() async throws {
        let page = try await get("/", from: Self.catalog())
        let html = String(buffer: page.body)
        let start = try #require(html.firstRange(of: "<script type=\"importmap\">"))
        let map = html[start.upperBound...].prefix { $0 != "<" }
        let hash = Data(SHA256.hash(data: Data(map.utf8))).base64EncodedString()
        let policy = try #require(page.headers[.contentSecurityPolicy])
        #expect(
            policy == """
                default-src 'none'; script-src 'self' 'sha256-\(hash)'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                trusted-types 'none'
                """)
        struct Map: Decodable { var integrity: [String: String] }
        let integrity = try JSONDecoder().decode(Map.self, from: Data(map.utf8)).integrity
        #expect(Set(integrity.keys.compactMap { $0.split(separator: "/").last }) == ["main.js", "leaf.js", "twig.js"])
        for (url, expected) in integrity {
            let module = try await get(url, from: Self.catalog())
            #expect(expected == "sha384-" + Data(SHA384.hash(data: Data(buffer: module.body))).base64EncodedString())
        }
    }

    @Test func assetsAreImmutableAndPagesAreRevalidated() async throws {
        let catalog = Self.catalog()
        #expect(catalog.paths.count == 8)
        for path in catalog.paths {
            let isAsset = path.hasPrefix("/assets/")
            let answer = try await get(path, from: catalog)
            #expect(
                answer.headers[.cacheControl] == (isAsset ? "public, max-age=31536000, immutable" : "no-cache"))
            let tag = try #require(answer.headers[.eTag])
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let repeated = try await get(path, [.ifNoneMatch: known], from: catalog)
                #expect(repeated.status == .notModified && repeated.body.readableBytes == 0)
                #expect(repeated.headers[.eTag] == tag)
            }
            #expect(try await get(path, [.ifNoneMatch: "\"other\""], from: catalog).status == .ok)
        }
    }

    @Test(arguments: ["leaf", "style"]) func anyChangeIsANewVersion(what: String) {
        let changed = what == "leaf" ? Self.catalog(leaf: "export const a = 2;\n") : Self.catalog(style: "a {}")
        #expect(Self.catalog().version == Self.catalog().version)
        #expect(changed.version != Self.catalog().version)
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP", true), ("br, gzip;q=0.5", true), ("x-gzip", true), ("gzip ; q=1.0", true),
        ("gzip;q=0", false), ("gzip; q=0.000", false), ("br", false), ("", false), ("notgzip", false),
        ("gzip;q=abc", false),
    ]) func compressionFollowsTheRequest(accepted: String, isCompressed: Bool) async throws {
        let catalog = Self.catalog()
        let path = try #require(catalog.paths.first { $0.hasSuffix("main.js") })
        let plain = try await get(path, from: catalog)
        let answer = try await get(path, [.acceptEncoding: accepted], from: catalog)
        #expect(answer.headers[.contentEncoding] == (isCompressed ? "gzip" : nil))
        #expect(answer.headers[.vary] == "Accept-Encoding")
        #expect((answer.headers[.eTag] == plain.headers[.eTag]) == !isCompressed)
        #expect((answer.body.readableBytes < plain.body.readableBytes) == isCompressed)
    }

    @Test func compressedBytesAreTheSameContent() async throws {
        let catalog = Self.catalog()
        let path = try #require(catalog.paths.first { $0.hasSuffix("main.js") })
        let plain = try await get(path, from: catalog)
        let compressed = try await get(path, [.acceptEncoding: "gzip"], from: catalog)
        let scratch = try Scratch()
        let file = scratch.file("main.js.gz")
        try Data(buffer: compressed.body).write(to: URL(filePath: file))
        let unpacked = try await Tool("gzip", ["-dc", file], help: "apt-get install gzip")
        #expect(unpacked.output == String(buffer: plain.body))
    }

    @Test func whatCompressesBadlyIsSentAsItIs() async throws {
        let answer = try await get("/api.json", [.acceptEncoding: "gzip"], from: Self.catalog())
        #expect(answer.headers[.contentEncoding] == nil && String(buffer: answer.body) == "{}")
    }
}
