import HTTPTypes

/// One thing that a client can ask for.
struct Operation: Sendable {
    let method: String
    let path: String
    let summary: String
    let access: Access
    var request: String?
    var answer: String?
    var status = 200
    var query: [String] = []
    var headers: [String] = []
    /// Bytes of a body at most.
    let limit: Int
    /// JSON values in it at most.
    let mostValues: Int

    enum Access: Sendable { case anybody, owner, agent, both }

    private init(
        _ method: String, _ path: String, _ summary: String, _ access: Access, takes request: String? = nil,
        gives answer: String? = nil, _ status: Int? = nil, query: [String] = [], headers: [String] = [],
        limit: Int = RequestLimits.small, values: Int = RequestLimits.values
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.request = request
        self.answer = answer
        self.status = status ?? (answer == nil ? 204 : 200)
        self.query = query
        self.headers = headers
        self.limit = limit
        mostValues = values
    }

    /// By method and route, such as `/api/v1/entries/{id}`. HEAD is GET without the body.
    static func find(_ method: HTTPRequest.Method, _ route: String?) -> Operation? {
        guard let route else { return nil }
        return byRoute["\(method == .head ? "GET" : method.rawValue) \(route)"]
    }

    /// The methods of a path that was asked for with another one; empty for a path that is not there.
    static func methods(of path: String) -> [String] {
        let asked = path.split(separator: "/")
        let found = all.filter { operation in
            let parts = operation.path.split(separator: "/")
            return parts.count == asked.count
                && zip(parts, asked).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        // A literal part wins over a parameter, as in the router: `/entries/search` is no entry.
        let fewest = found.map { $0.path.filter { $0 == "{" }.count }.min()
        let methods = found.filter { $0.path.filter { $0 == "{" }.count == fewest }.map(\.method)
        return Set(methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
    }

    private static let byRoute = Dictionary(uniqueKeysWithValues: all.map { ("\($0.method) \($0.path)", $0) })

    private static let page = ["cursor", "limit"]

    static let all: [Operation] = [
        Operation("GET", "/livez", "Whether the process answers.", .anybody, gives: "Health"),
        Operation(
            "GET", "/readyz", "Whether it can be trusted with work; 503 gives the reasons.", .anybody, gives: "Health"),
        Operation("GET", "/.well-known/clavitor", "Who this node is.", .anybody, gives: "Node"),
        Operation("GET", "/.well-known/clavitor/nodes", "The fleet.", .anybody, gives: "Nodes"),
        Operation("GET", "/openapi.json", "This document.", .anybody, gives: "OpenAPI"),

        Operation(
            "POST", "/api/v1/accounts/prelogin", "What a client needs to derive keys; alike for unknown addresses.",
            .anybody,
            takes: "PreloginRequest", gives: "Prelogin", limit: RequestLimits.unknown),
        Operation(
            "POST", "/api/v1/accounts", "Register.", .anybody, takes: "Registration", 201,
            limit: RequestLimits.registration),
        Operation(
            "POST", "/api/v1/accounts/recover/begin", "Show the kit; gives its copy of the l2Key. Nothing changes.",
            .anybody, takes: "RecoveryBegin", gives: "RecoveryBegun", limit: RequestLimits.unknown),
        Operation(
            "POST", "/api/v1/accounts/recover", "A new password and kit by the present kit; everything else ends.",
            .anybody, takes: "Recover", gives: "OwnerChange", 201),
        Operation(
            "POST", "/api/v1/sessions", "A session by password.", .anybody, takes: "Login", gives: "Session", 201,
            limit: RequestLimits.unknown),
        Operation("GET", "/api/v1/sessions", "Open sessions.", .owner, gives: "SessionList"),
        Operation("DELETE", "/api/v1/sessions/{id}", "End a session; `current` is this one.", .owner),

        Operation("GET", "/api/v1/account", "The account.", .owner, gives: "Account"),
        Operation("DELETE", "/api/v1/account", "Delete the account and all it holds.", .owner),
        Operation(
            "PUT", "/api/v1/account/password", "Change the password and the kit; signs everything out.", .owner,
            takes: "Password", gives: "OwnerChange"),
        Operation(
            "POST", "/api/v1/account/sign-out-everywhere", "End every session, this one too; a new kit.", .owner,
            takes: "SignOut", gives: "OwnerChange"),
        Operation("PUT", "/api/v1/account/recovery", "A new recovery kit.", .owner, takes: "Kit"),
        Operation("DELETE", "/api/v1/account/recovery", "No recovery kit.", .owner, takes: "Proven"),
        Operation(
            "POST", "/api/v1/account/totp", "Begin (no code) or confirm (a code) the second factor.", .owner,
            takes: "SecondFactorRequest", gives: "SecondFactor"),
        Operation("DELETE", "/api/v1/account/totp", "No second factor.", .owner, takes: "Proven"),
        Operation(
            "GET", "/api/v1/account/l2", "Every L2 value of every version.", .owner, gives: "L2Values", query: page),
        Operation(
            "PUT", "/api/v1/account/l2", "Every L2 value under a new l2Key.", .owner, takes: "L2Rekey",
            limit: RequestLimits.body, values: RequestLimits.rekeyValues),

        Operation(
            "POST", "/api/v1/entries", "Add an entry.", .owner, takes: "EntryWrite", gives: "Entry", 201,
            headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries", "Metadata; an agent's: what it was granted.", .both, gives: "EntryList",
            query: page),
        Operation(
            "POST", "/api/v1/entries/search", "By titles or text, and for the owner by tag or host.", .both,
            takes: "Search",
            gives: "EntryList"),
        Operation("GET", "/api/v1/entries/{id}", "One entry's metadata.", .both, gives: "Entry"),
        Operation(
            "PUT", "/api/v1/entries/{id}", "Replace.", .owner, takes: "EntryWrite", gives: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "PATCH", "/api/v1/entries/{id}", "Change; an agent: values it can open.", .both, takes: "EntryWrite",
            gives: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation("DELETE", "/api/v1/entries/{id}", "Into the trash.", .owner, headers: ["If-Match"]),
        Operation("GET", "/api/v1/entries/{id}/versions", "Its history.", .owner, gives: "Versions"),
        Operation(
            "POST", "/api/v1/entries/{id}/restore", "Back to a version, or out of the trash.", .owner, takes: "Restore",
            gives: "Entry", headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries/{id}/fields/{field}", "A field's content. On record before it is sent.", .both,
            gives: "FieldValue", query: ["version"]),
        Operation(
            "POST", "/api/v1/values", "Contents of up to 64 fields: all, on record before they are sent, or none.",
            .both,
            takes: "ValuesRead", gives: "Values"),
        Operation("GET", "/api/v1/entries/{id}/fields/{field}/totp", "A code, not its seed.", .both, gives: "Code"),
        Operation("GET", "/api/v1/trash", "Trashed entries.", .owner, gives: "EntryList", query: page),
        Operation("DELETE", "/api/v1/trash/{id}", "Delete for good.", .owner),
        Operation(
            "POST", "/api/v1/deposits", "Leave an entry that you cannot read back.", .agent, takes: "EntryWrite",
            gives: "Deposit", 201, headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation("GET", "/api/v1/deposits", "What agents left.", .owner, gives: "EntryList", query: page),
        Operation("POST", "/api/v1/deposits/{id}/accept", "Make it an entry.", .owner, gives: "Entry"),
        Operation("DELETE", "/api/v1/deposits/{id}", "Delete it.", .owner),

        Operation(
            "POST", "/api/v1/agents", "Add an agent. The token is shown this once.", .owner, takes: "AgentWrite",
            gives: "AgentToken", 201, headers: ["Idempotency-Key"], limit: RequestLimits.agent),
        Operation("GET", "/api/v1/agents", "The agents.", .owner, gives: "AgentList", query: page),
        Operation("GET", "/api/v1/agents/{id}", "One agent.", .owner, gives: "Agent"),
        Operation(
            "PATCH", "/api/v1/agents/{id}", "Change grants or policy, pause, resume.", .owner, takes: "AgentWrite",
            gives: "Agent", limit: RequestLimits.agent),
        Operation(
            "DELETE", "/api/v1/agents/{id}", "Revoke; answers what it could and did read.", .owner, gives: "Disclosures"
        ),
        Operation("POST", "/api/v1/agents/{id}/rotate", "A new token; the old one ends.", .owner, gives: "AgentToken"),
        Operation("GET", "/api/v1/agents/{id}/disclosures", "What it can and did read.", .owner, gives: "Disclosures"),
        Operation(
            "GET", "/api/v1/audit", "Everything done in the vault, newest first.", .owner, gives: "Audit", query: page),
    ]

    var json: JSON {
        var content: [String: JSON] = ["summary": .string(summary)]
        let names = path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        let parameters =
            names.map { Self.parameter($0, in: "path", isRequired: true) }
            + query.map { Self.parameter($0, in: "query", isRequired: false) }
            + headers.map { Self.parameter($0, in: "header", isRequired: $0 == "If-Match" && method != "POST") }
        if !parameters.isEmpty { content["parameters"] = .array(parameters) }
        if let request {
            content["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": Self.reference(request)]],
            ]
        }
        var success: [String: JSON] = ["description": .string(answer == nil ? "Done." : summary)]
        if let answer { success["content"] = ["application/json": ["schema": Self.reference(answer)]] }
        content["responses"] = .object([
            "\(status)": .object(success), "default": ["$ref": "#/components/responses/Problem"],
        ])
        switch access {
        case .anybody: break
        case .owner: content["security"] = [["token": []]]
        case .agent, .both:
            content["security"] = [["token": []]]
            content["description"] = .string(access == .agent ? "For agents." : "For the owner and for agents.")
        }
        return .object(content)
    }

    private static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }

    private static func parameter(_ name: String, in place: String, isRequired: Bool) -> JSON {
        let type: JSON = ["limit", "version"].contains(name) ? ["type": "integer", "minimum": 1] : ["type": "string"]
        return ["name": .string(name), "in": .string(place), "required": .bool(isRequired), "schema": type]
    }
}
