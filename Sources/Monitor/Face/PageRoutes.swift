import CMonitorAssets
import HTTPTypes
import Hummingbird
import NIOCore

/// The pages, which are part of the program: see `CMonitorAssets/assets.c` for what is served where.
struct PageRoutes: Sendable {
    private struct Page: Sendable {
        var path: RouterPath
        var type: String
        var bytes: ByteBuffer
    }

    private static let pages = (0..<monitor_asset_count()).map { index in
        unsafe page(monitor_asset_at(index))
    }

    func add(to group: RouterGroup<MonitorContext>) {
        for page in Self.pages {
            group.get(page.path) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: page.type, .cacheControl: "no-cache"],
                    body: .init(byteBuffer: page.bytes))
            }
        }
    }

    private static func page(_ asset: monitor_asset) -> Page {
        unsafe Page(
            path: RouterPath(String(cString: asset.path)), type: String(cString: asset.type),
            bytes: ByteBuffer(bytes: UnsafeBufferPointer(start: asset.bytes, count: asset.size)))
    }
}
