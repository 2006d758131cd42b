import Crypto
import Encoding
import Hummingbird

/// A page whose references name one version of the assets, each with its integrity.
///
/// A browser runs the scripts, style sheets and imported modules only if they have the hashes that the page states.
struct Page {
    let html: String
    /// Allows what the page loads, and nothing else.
    let policy: ContentSecurityPolicy

    /// `source`: HTML with at most one reference to an asset per line, and at most one module script.
    /// `folder`: The versioned URL of the assets, with a slash at its end.
    init(_ source: String, assets: [String: Asset], graph: ModuleGraph, folder: String) {
        var lines: [String] = []
        var importMap: String?
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            guard let asset = Self.reference(in: line, assets) else {
                lines.append(String(line))
                continue
            }
            if let name = asset.name, asset.isModule {
                precondition(importMap == nil, "a page has two module scripts; a browser reads one import map")
                let imported = graph.dependencies(of: name).map { Self.find($0, assets) }
                let map = Self.importMap([asset] + imported, folder: folder)
                importMap = map
                lines.append("<script type=\"importmap\">\(map)</script>")
                lines += imported.map { Self.preload($0, folder: folder) }
            }
            lines.append(Self.versioned(line, asset, folder: folder))
        }
        html = lines.joined(separator: "\n")
        policy = Self.policy(importMap: importMap)
    }

    /// The asset that a line of HTML refers to.
    private static func reference(in line: Substring, _ assets: [String: Asset]) -> Asset? {
        guard let start = line.firstRange(of: "\"\(Asset.folder)") else { return nil }
        return find(String(line[start.upperBound...].prefix { $0 != "\"" && $0 != "#" }), assets)
    }

    /// Pages and modules are part of the program: a reference to nothing is a fault of the build.
    private static func find(_ name: String, _ assets: [String: Asset]) -> Asset {
        guard let asset = assets[name] else { preconditionFailure("there is no asset \(name)") }
        return asset
    }

    /// Images have no `integrity` attribute.
    private static func versioned(_ line: Substring, _ asset: Asset, folder: String) -> String {
        let versioned = line.replacing("\"\(Asset.folder)", with: "\"\(folder)")
        guard asset.isModule || asset.mediaType.hasPrefix("text/css") else { return String(versioned) }
        return String(versioned.replacing(">", with: " integrity=\"\(asset.integrity)\">", maxReplacements: 1))
    }

    private static func preload(_ module: Asset, folder: String) -> String {
        "<link rel=\"modulepreload\" href=\"\(folder)\(module.name ?? "")\" integrity=\"\(module.integrity)\">"
    }

    /// The integrity of modules, which an `import` statement cannot state (HTML, "import maps", `integrity`).
    private static func importMap(_ modules: [Asset], folder: String) -> String {
        let entries = modules.map { "\"\(folder)\($0.name ?? "")\":\"\($0.integrity)\"" }
        return "{\"integrity\":{\(entries.joined(separator: ","))}}"
    }

    private static func policy(importMap: String?) -> ContentSecurityPolicy {
        let hash = importMap.map { Base64.encode(Array(SHA256.hash(data: Array($0.utf8)))) }
        let scripts: ContentSecurityPolicy.Directive =
            if let hash { .scriptSrc(.self, .hash(.sha256, base64: hash)) } else { .scriptSrc(.none) }
        return [
            .defaultSrc(.none),
            scripts,
            .styleSrc(.self), .imgSrc(.self), .connectSrc(.self),
            .baseURI(.none), .formAction(.none), .frameAncestors(.none),
            .requireTrustedTypesFor(.script), .trustedTypes(.none),
        ]
    }
}
