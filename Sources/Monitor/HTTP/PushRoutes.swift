import HTTPServing
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Wire

/// Routes for pushes. Responds as Uptime Kuma does, so that its clients can push here.
struct PushRoutes: Sendable {
    let watch: Watch
    private static let header = HTTPField.Name(HeartbeatSignature.header)

    func add(to router: Router<MonitorContext>) {
        for method in [HTTPRequest.Method.get, .post, .put, .patch] {
            router.on("/api/push/:token", method: method) { request, context in await respond(request, context) }
        }
        // A body after a response to HEAD would be read as the next response.
        router.head("/api/push/:token") { request, context in await respond(request, context).createHeadResponse() }
    }

    private func respond(_ request: Request, _ context: MonitorContext) async -> Response {
        var response = await accept(request, context)
        response.headers.append(SecurityHeaders.strictTransport)
        return response
    }

    private func accept(_ request: Request, _ context: MonitorContext) async -> Response {
        do {
            let token = context.parameters.get("token") ?? ""
            // Form encoding: a plus is a space (WHATWG URL section 5.1), as Uptime Kuma reads it.
            let query = URI(request.uri.string.replacing("+", with: "%20")).queryParameters
            let accepted = try await watch.receive(
                token: token, status: query.get("status"), msg: query.get("msg"), ping: query.get("ping"),
                body: try await body(request), signature: Self.header.flatMap { request.headers[$0] })
            guard let parseError = accepted.parseError else {
                let want = accepted.auditWant.map { ",\"audit_want\":\($0)" } ?? ""
                return response(200, "{\"ok\":true,\"time_ms\":\(accepted.time)\(want)}")
            }
            let answer = PushAnswer(
                ok: true, msg: parseError, timeMS: accepted.time, auditWant: accepted.auditWant)
            return try Response(json: answer, status: .ok)
        } catch let rejection as PushRejection {
            return rejected(rejection.status, rejection.text)
        } catch {
            // It counts as a sign of life, but is missing in the chart.
            return rejected(503, "The heartbeat was received but could not be stored.")
        }
    }

    /// Reads the body; nil when it is too large.
    private func body(_ request: Request) async throws -> [UInt8]? {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Push.maxBytes { return nil }
        do {
            return Array(try await request.body.collect(upTo: Push.maxBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            return nil
        }
    }

    private func rejected(_ status: Int, _ text: String) -> Response {
        let answer = PushAnswer(ok: false, msg: text)
        return (try? Response(json: answer, status: .init(code: status))) ?? Response(status: .init(code: status))
    }

    private func response(_ status: Int, _ json: String) -> Response {
        Response(text: json, status: .init(code: status), type: "application/json")
    }
}
