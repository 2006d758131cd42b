import CMonitorAssets
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Serves the embedded pages; see `CMonitorAssets/assets.c` for the paths.
struct PageRoutes: Sendable {
    private struct Page: Sendable {
        var path: RouterPath
        var type: String
        var bytes: ByteBuffer
        /// Entity tag, because another version may have other pages.
        var tag: String
    }

    private static let pages = (0..<monitor_asset_count()).map { index in
        unsafe page(monitor_asset_at(index))
    }

    func add(to group: RouterGroup<MonitorContext>) {
        for page in Self.pages {
            group.get(page.path) { request, _ in
                guard request.headers[.ifNoneMatch] != page.tag else {
                    return Response(status: .notModified, headers: [.eTag: page.tag, .cacheControl: "no-cache"])
                }
                return Response(
                    status: .ok, headers: [.contentType: page.type, .cacheControl: "no-cache", .eTag: page.tag],
                    body: .init(byteBuffer: page.bytes))
            }
        }
    }

    private static func page(_ asset: monitor_asset) -> Page {
        let bytes = unsafe Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size))
        let hash = SHA256.hash(data: bytes).prefix(8).map { String($0, radix: 16) }.joined(separator: "-")
        return unsafe Page(
            path: RouterPath(String(cString: asset.path)), type: String(cString: asset.type),
            bytes: ByteBuffer(bytes: bytes), tag: "\"\(hash)\"")
    }
}
