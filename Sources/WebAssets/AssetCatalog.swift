import Crypto
import Encoding
package import Hummingbird

/// All assets of a program, prepared once for serving.
///
/// Pages and documents keep their URLs, and browsers revalidate them. What pages load is served under `/assets/VERSION/`, where the
/// version is a hash of all of it, so that browsers keep it for good and never mix two versions.
package struct AssetCatalog: Sendable {
    /// 64 bits of the SHA-256 of all names, types and contents below `/assets/`, in hexadecimal.
    package let version: String
    private let served: [ServedAsset]

    package init(_ assets: [Asset]) {
        let named = assets.filter { $0.name != nil }.sorted { $0.path < $1.path }
        var hasher = SHA256()
        for asset in named {
            // With the length of each part, so that no two catalogs hash the same bytes.
            for part in [Array(asset.path.utf8), Array(asset.mediaType.utf8), asset.bytes] {
                hasher.update(data: Array("\(part.count):".utf8) + part)
            }
        }
        let version = Hexadecimal.encode(hasher.finalize().prefix(8))
        let folder = "\(Asset.folder)\(version)/"
        let byName = Dictionary(uniqueKeysWithValues: named.compactMap { asset in asset.name.map { ($0, asset) } })
        let graph = ModuleGraph(named)
        self.version = version
        served = assets.map { asset in
            if let name = asset.name {
                return ServedAsset(
                    path: folder + name, mediaType: asset.mediaType, bytes: asset.bytes, caching: .immutable)
            }
            guard asset.isPage else {
                return ServedAsset(
                    path: asset.path, mediaType: asset.mediaType, bytes: asset.bytes, caching: .revalidated)
            }
            let page = Page(
                String(decoding: asset.bytes, as: UTF8.self), assets: byName, graph: graph, folder: folder)
            return ServedAsset(
                path: asset.path, mediaType: asset.mediaType, bytes: Array(page.html.utf8), caching: .revalidated,
                policy: page.policy)
        }
    }

    /// The paths of all routes, as router patterns.
    package var paths: [String] { served.map(\.path) }

    package func add<Context: RequestContext>(to group: RouterGroup<Context>) {
        for asset in served {
            group.get(RouterPath(asset.path)) { request, _ in asset.response(to: request) }
        }
    }
}
