import CMonitorAssets
import HTTPTypes
import Hummingbird
import NIOCore

/// The pages, which are part of the program.
struct PageRoutes: Sendable {
    private struct Page: Sendable {
        var path: RouterPath
        var type: String
        var bytes: ByteBuffer
    }

    private static let pages = unsafe [
        page("/", "text/html; charset=utf-8", monitor_index_html()),
        page("/status", "text/html; charset=utf-8", monitor_status_html()),
        page("/assets/monitor.css", "text/css; charset=utf-8", monitor_css()),
        page("/assets/monitor.js", "text/javascript; charset=utf-8", monitor_js()),
        page("/assets/status.js", "text/javascript; charset=utf-8", monitor_status_js()),
        page("/assets/world.svg", "image/svg+xml", monitor_world_svg()),
        page("/openapi.json", "application/json", monitor_openapi_json()),
    ]

    func add(to group: RouterGroup<MonitorContext>) {
        for page in Self.pages {
            group.get(page.path) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: page.type, .cacheControl: "no-cache"],
                    body: .init(byteBuffer: page.bytes))
            }
        }
    }

    private static func page(_ path: RouterPath, _ type: String, _ asset: monitor_asset) -> Page {
        unsafe Page(
            path: path, type: type,
            bytes: ByteBuffer(bytes: UnsafeBufferPointer(start: asset.start, count: asset.size)))
    }
}
