import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

extension Response {
    init(json value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json") throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(
            status: status, headers: [.contentType: type],
            body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }

    init(text: String, status: HTTPResponse.Status = .ok, type: String) {
        self.init(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static var noContent: Response { Response(status: .noContent) }
}

extension Request {
    /// Decodes the body.
    ///
    /// - Throws: A problem that names the missing or mistyped member.
    func json<Body: Decodable>(_: Body.Type = Body.self, in context: some RequestContext) async throws -> Body {
        let buffer = try await body.collect(upTo: context.maxUploadSize)
        do {
            return try JSONDecoder().decode(Body.self, from: Data(buffer.readableBytesView))
        } catch {
            var detail = "The body must be JSON."
            switch error as? DecodingError {
            case .keyNotFound(let key, _)?: detail = "\(key.stringValue) is missing."
            case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
                detail = "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has the wrong type."
            default: break
            }
            throw Problem.malformed(detail)
        }
    }
}

extension RequestContext {
    func id() throws -> Int64 {
        guard let id = parameters.get("id", as: Int64.self) else { throw Problem.noSuch("number") }
        return id
    }
}

extension Problem {
    static let signIn = Problem(
        named: "sign-in", status: 401, title: "Sign in",
        detail: "POST /api/v1/login, or a bearer token of `clavitor-monitor token add`.")

    static func noSuch(_ what: String) -> Problem {
        Problem(named: "no-such-\(what)", status: 404, title: "No such \(what)")
    }

    static func malformed(_ detail: String) -> Problem {
        Problem(named: "malformed", status: 400, title: "Malformed request", detail: detail)
    }
}
