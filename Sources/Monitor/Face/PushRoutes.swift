import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Wire

/// Where nodes push. Answers as Uptime Kuma does, so that whatever can push there can push here.
struct PushRoutes: Sendable {
    let watch: Watch

    func add(to router: Router<MonitorContext>) {
        for method in [HTTPRequest.Method.get, .post, .put, .patch] {
            router.on("/api/push/:token", method: method) { request, context in await answer(request, context) }
        }
        // A body after an answer to HEAD would be taken for the next answer.
        router.head("/api/push/:token") { request, context in await answer(request, context).createHeadResponse() }
    }

    private func answer(_ request: Request, _ context: MonitorContext) async -> Response {
        var response = await taken(request, context)
        response.headers.append(.strictTransport)
        return response
    }

    private func taken(_ request: Request, _ context: MonitorContext) async -> Response {
        do {
            let token = context.parameters.get("token") ?? ""
            // As forms write it, a plus is a space (WHATWG URL section 5.1): so Uptime Kuma reads it.
            let query = URI(request.uri.string.replacing("+", with: "%20")).queryParameters
            let taken = try await watch.receive(
                token: token, status: query.get("status"), msg: query.get("msg"), ping: query.get("ping"),
                body: try await body(request))
            guard let flaw = taken.flaw else { return response(200, "{\"ok\":true,\"time_ms\":\(taken.time)}") }
            return try Response(json: PushAnswer(ok: true, msg: flaw, timeMS: taken.time), status: .ok)
        } catch let refusal as PushRefusal {
            return refused(refusal.status, refusal.text)
        } catch {
            // It counts as a sign of life; only the chart will lack it.
            return refused(503, "The beat was seen and could not be written down.")
        }
    }

    /// Nil for one that is too large, of which nothing is kept.
    private func body(_ request: Request) async throws -> [UInt8]? {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Push.most { return nil }
        do {
            return Array(try await request.body.collect(upTo: Push.most).readableBytesView)
        } catch is NIOTooManyBytesError {
            return nil
        }
    }

    private func refused(_ status: Int, _ text: String) -> Response {
        let answer = PushAnswer(ok: false, msg: text)
        return (try? Response(json: answer, status: .init(code: status))) ?? Response(status: .init(code: status))
    }

    private func response(_ status: Int, _ json: String) -> Response {
        Response(text: json, status: .init(code: status), type: "application/json")
    }
}
