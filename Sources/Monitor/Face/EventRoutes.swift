import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Wire

/// News for open pages, as server-sent events (WHATWG HTML section 9.2).
struct EventRoutes: Sendable {
    let watch: Watch
    let operators: Operators

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/events") { _, context in
            let token = context.token
            guard let news = watch.audience.join() else {
                throw Problem(named: "too-many", status: 503, title: "Too many open pages", retryAfter: 60)
            }
            return Response(
                status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: .init { writer in
                    try await writer.write(ByteBuffer(string: ": hello\n\n"))
                    // An open page must not hold up a stop.
                    for await piece in news.cancelOnGracefulShutdown() {
                        // Nor does it outlive its session, which a change of password ends.
                        guard try await operators.signedIn(token) != nil else { break }
                        try await writer.write(ByteBuffer(string: try Self.text(piece)))
                    }
                    try await writer.finish(nil)
                })
        }
    }

    private static func text(_ news: Audience.News) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        func event(_ name: String, _ data: Data) -> String {
            "event: \(name)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
        }
        return switch news {
        case .nodes(let nodes): event("nodes", try encoder.encode(nodes))
        case .incidents(let incidents): event("incidents", try encoder.encode(incidents))
        case .pause: ": still here\n\n"
        }
    }
}
