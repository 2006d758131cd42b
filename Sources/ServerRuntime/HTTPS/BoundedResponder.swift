import Encoding
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Delays a request while its connection has too many unsent response bytes, and counts the response before it is written: a
/// client that reads nothing must not make the server buffer without limit.
struct BoundedResponder<Base: HTTPResponder>: HTTPResponder
where Base.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let base: Base
    let connections: Connections

    struct Context: InitializableFromSource {
        let channel: any Channel
        let base: Base.Context

        init(source: ApplicationRequestContextSource) {
            channel = source.channel
            base = Base.Context(source: source)
        }
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        guard isStreamSafe(request.head) else {
            return Response(
                status: .badRequest, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(
                    byteBuffer: ByteBuffer(
                        string:
                            "A path or header must not have more than \(StreamSafeText.marks) combining marks in a row.\n"
                    )))
        }
        let channel = context.channel
        // The responses that it waits for have their own deadlines.
        await connections.waitForCapacity(on: channel.tcpConnection, for: channel)
        guard channel.isActive else {
            connections.resumeNextWaiting(on: channel.tcpConnection)
            throw CancellationError()
        }
        guard let work = connections.beginHandling(on: channel.tcpConnection) else {
            return Response(status: .serviceUnavailable, headers: [.retryAfter: "1", .contentLength: "0"])
        }
        defer { connections.endHandling(work) }
        let response = try await base.respond(to: request, context: context.base)
        if let count = response.body.contentLength, count > 0 { withDeadline(of: channel) { $0.hold(count) } }
        return response
    }

    private func isStreamSafe(_ head: HTTPRequest) -> Bool {
        StreamSafeText.check(target: head.path ?? "")
            && StreamSafeText.check(head.authority ?? "")
            && head.headerFields.allSatisfy { StreamSafeText.check($0.value) }
    }

    private func withDeadline(of channel: any Channel, _ body: @escaping @Sendable (RequestDeadline) -> Void) {
        let run: @Sendable () -> Void = {
            // A channel that was closed meanwhile has no handlers.
            if let handler = try? channel.pipeline.syncOperations.handler(type: RequestDeadline.self) { body(handler) }
        }
        if channel.eventLoop.inEventLoop { run() } else { channel.eventLoop.execute(run) }
    }
}
