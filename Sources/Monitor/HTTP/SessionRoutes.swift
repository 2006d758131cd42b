import HTTPServing
import HTTPTypes
import Hummingbird
import Wire

/// Routes to sign in and out.
struct SessionRoutes: Sendable {
    let operators: Operators
    static let cookie = "clavitor_monitor"

    private struct LoginBody: Decodable {
        var name: String
        var password: String
        var code: String?
    }

    private struct SessionBody: Encodable {
        var name: String
        var csrf: String
    }

    func add(toOpen group: RouterGroup<MonitorContext>) {
        group.post("/api/v1/login") { request, context in
            let body: LoginBody = try await request.json(in: context)
            guard body.name.utf8.count <= 100, body.password.utf8.count <= 1_000, (body.code ?? "").utf8.count <= 100
            else {
                throw Problem.malformed("name and code must have at most 100 bytes, password at most 1,000.")
            }
            let session = try await operators.signIn(body.name, password: body.password, code: body.code)
            var response = try Response(json: SessionBody(name: body.name, csrf: session.csrf))
            response.setCookie(Self.cookie(session.token, seconds: Int(session.lifetime / 1_000)))
            return response
        }
    }

    func add(toSignedIn group: RouterGroup<OperatorContext>) {
        group.get("/session") { _, context in
            try Response(json: SessionBody(name: context.name, csrf: context.csrf))
        }
        group.post("/logout") { request, _ in
            if let token = request.cookies[Self.cookie]?.value { await operators.signOut(token) }
            var response = Response.noContent
            response.setCookie(Self.cookie("", seconds: 0))
            return response
        }
    }

    /// The cookie that has a session's token; zero seconds delete it.
    private static func cookie(_ token: String, seconds: Int) -> Cookie {
        Cookie(name: cookie, value: token, maxAge: seconds, path: "/", secure: true, httpOnly: true, sameSite: .strict)
    }
}
