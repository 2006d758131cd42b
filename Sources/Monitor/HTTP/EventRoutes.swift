import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Wire

/// Events for open pages, as server-sent events (WHATWG HTML section 9.2).
struct EventRoutes: Sendable {
    let watch: Watch
    let operators: Operators

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/events") { _, context in
            let token = context.token
            guard let events = watch.events.subscribe() else {
                throw Problem(named: "too-many", status: 503, title: "Too many open pages", retryAfter: 60)
            }
            return Response(
                status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: .init { writer in
                    try await writer.write(ByteBuffer(string: ": hello\n\n"))
                    // An open page must not delay a shutdown.
                    for await event in events.cancelOnGracefulShutdown() {
                        // A stream ends with its session, which a change of password ends.
                        guard try await operators.signedIn(token) != nil else { break }
                        try await writer.write(ByteBuffer(string: try Self.text(event)))
                    }
                    try await writer.finish(nil)
                })
        }
    }

    private static func text(_ events: EventBroker.Event) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        func format(_ name: String, _ data: Data) -> String {
            "event: \(name)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
        }
        return switch events {
        case .nodes(let nodes): format("nodes", try encoder.encode(nodes))
        case .incidents(let incidents): format("incidents", try encoder.encode(incidents))
        case .keepAlive: ": still here\n\n"
        }
    }
}
