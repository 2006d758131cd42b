import CMonitorAssets
package import WebAssets

extension AssetCatalog {
    /// The monitor's pages and its OpenAPI document; see `CMonitorAssets/assets.c`.
    package static let monitor = AssetCatalog(
        (0..<monitor_asset_count()).map { index in
            let asset = unsafe monitor_asset_at(index)
            return unsafe Asset(
                path: String(cString: asset.path), mediaType: String(cString: asset.type),
                bytes: Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size)))
        })
}
