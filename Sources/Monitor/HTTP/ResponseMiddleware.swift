import HTTPServing
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Wire

/// Maps errors to responses, and adds security headers to all of them.
struct ResponseMiddleware: RouterMiddleware {
    typealias Context = MonitorContext

    func handle(
        _ request: Request, context: MonitorContext,
        next: @concurrent (Request, MonitorContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = try Response(problem(for: error, context))
        }
        response.addSecurityHeaders()
        return response
    }

    private func problem(for error: any Error, _ context: MonitorContext) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case FleetEvaluator.ActionError.noSuchIncident: return .noSuch("incident")
        case FleetEvaluator.ActionError.endsOnlyByItself:
            return Problem(
                named: "ends-by-itself", status: 409, title: "Resolves automatically",
                detail: "The incident resolves when its condition clears. Acknowledge it, or silence it for a while.")
        case is NIOTooManyBytesError:
            return Problem(named: "too-large", status: 413, title: "Request is too large")
        case let error as any HTTPResponseError:
            return error.status == .notFound
                ? Problem(named: "no-such-route", status: 404, title: "No such route", detail: "See /openapi.json.")
                : Problem(named: "http", status: Int(error.status.code), title: error.status.reasonPhrase)
        default:
            context.logger.error("unhandled error", metadata: ["error": "\(error)"])
            return Problem(
                named: "internal", status: 500, title: "Internal error", detail: "See the monitor's log.")
        }
    }
}
