import HTTPTypes
import Vault

/// One thing that a client can ask for.
struct Operation: Sendable {
    let method: String
    let path: String
    let summary: String
    /// What the policy engine decides over; nil where nobody signs in.
    let action: Action?
    var request: String?
    var answer: String?
    var status = 200
    var query: [String] = []
    var headers: [String] = []
    /// Bytes of a body at most.
    let limit: Int
    /// JSON values in it at most.
    let mostValues: Int

    private init(
        _ method: String, _ path: String, _ summary: String, _ action: Action?, takes request: String? = nil,
        gives answer: String? = nil, _ status: Int? = nil, query: [String] = [], headers: [String] = [],
        limit: Int = RequestLimits.small, values: Int = RequestLimits.values
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.action = action
        self.request = request
        self.answer = answer
        self.status = status ?? (answer == nil ? 204 : 200)
        self.query = query
        self.headers = headers
        self.limit = limit
        mostValues = values
    }

    /// Denies a principal whose party can never do this.
    func admit(_ principal: Principal?) throws(VaultError) {
        guard let principal, let action, !action.rule.parties.contains(principal.party) else { return }
        // Of an agent alone: an owner who deposits is told why in the use case.
        if principal.party == .agents { throw .ownerOnly }
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
        Operation(
            "GET", "/livez", "Check that the process answers", nil, gives: "Health"),
        Operation(
            "GET", "/readyz", "Check readiness; 503 gives the reasons", nil, gives: "Health"),
        Operation(
            "GET", "/.well-known/clavitor", "Describe this node", nil, gives: "Node"),
        Operation(
            "GET", "/.well-known/clavitor/nodes", "List the fleet's nodes", nil, gives: "Nodes"),
        Operation(
            "GET", "/openapi.json", "Describe this API", nil, gives: "OpenAPI"),

        Operation(
            "POST", "/api/v1/accounts/prelogin", "Get the parameters of key derivation; alike for unknown addresses",
            nil,
            takes: "PreloginRequest", gives: "Prelogin", limit: RequestLimits.unknown),
        Operation(
            "POST", "/api/v1/accounts", "Register an account", nil, takes: "Registration", 201,
            limit: RequestLimits.registration),
        Operation(
            "POST", "/api/v1/accounts/recover/begin",
            "Begin a recovery: prove the kit and get its copy of the l2Key; changes nothing", nil,
            takes: "RecoveryBegin", gives: "RecoveryBegun", limit: RequestLimits.unknown),
        Operation(
            "POST", "/api/v1/accounts/recover",
            "Recover the account: set a new password and kit by the present kit; ends every session", nil,
            takes: "Recover", gives: "OwnerChange", 201),
        Operation(
            "POST", "/api/v1/sessions", "Sign in with a password", nil, takes: "Login", gives: "Session", 201,
            limit: RequestLimits.unknown),
        Operation(
            "GET", "/api/v1/sessions", "List sessions", .listSessions, gives: "SessionList"),
        Operation(
            "DELETE", "/api/v1/sessions/{id}", "End a session; `current` is this one", .endSession),

        Operation(
            "GET", "/api/v1/account", "Get the account", .viewAccount, gives: "Account"),
        Operation(
            "DELETE", "/api/v1/account", "Delete the account and everything in it", .deleteAccount),
        Operation(
            "PUT", "/api/v1/account/password", "Change the password and the kit; ends every session", .changePassword,
            takes: "Password", gives: "OwnerChange"),
        Operation(
            "POST", "/api/v1/account/sign-out-everywhere", "End every session, this one too, and set a new kit",
            .signOutEverywhere,
            takes: "SignOut", gives: "OwnerChange"),
        Operation(
            "PUT", "/api/v1/account/recovery", "Replace the recovery kit", .changeRecoveryKit, takes: "Kit"),
        Operation(
            "DELETE", "/api/v1/account/recovery", "Remove the recovery kit", .changeRecoveryKit, takes: "Proven"),
        Operation(
            "POST", "/api/v1/account/totp", "Set up the second factor: begin without a code, confirm with one",
            .confirmSecondFactor,
            takes: "SecondFactorRequest", gives: "SecondFactor"),
        Operation(
            "DELETE", "/api/v1/account/totp", "Remove the second factor", .endSecondFactor, takes: "Proven"),
        Operation(
            "GET", "/api/v1/account/l2", "List every L2 value of every version", .exportL2, gives: "L2Values",
            query: page),
        Operation(
            "PUT", "/api/v1/account/l2", "Replace every L2 value by one under a new l2Key", .rekeyL2, takes: "L2Rekey",
            limit: RequestLimits.body, values: RequestLimits.rekeyValues),

        Operation(
            "POST", "/api/v1/entries", "Create an entry", .createEntry, takes: "EntryWrite", gives: "Entry", 201,
            headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries", "List entries without values; an agent gets those that it was granted",
            .listEntries, gives: "EntryList",
            query: page),
        Operation(
            "POST", "/api/v1/entries/search", "Search by titles or text, and for the owner by tag or host", .search,
            takes: "Search",
            gives: "EntryList"),
        Operation(
            "GET", "/api/v1/entries/{id}", "Get an entry without values", .viewEntry, gives: "Entry"),
        Operation(
            "PUT", "/api/v1/entries/{id}", "Replace an entry", .replaceEntry, takes: "EntryWrite", gives: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "PATCH", "/api/v1/entries/{id}", "Change an entry; an agent changes values that it can open", .changeValues,
            takes: "EntryWrite",
            gives: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "DELETE", "/api/v1/entries/{id}", "Move an entry to the trash", .trashEntry, headers: ["If-Match"]),
        Operation(
            "GET", "/api/v1/entries/{id}/versions", "List versions", .listVersions, gives: "Versions"),
        Operation(
            "POST", "/api/v1/entries/{id}/restore", "Restore a version, or an entry from the trash", .restoreVersion,
            takes: "Restore",
            gives: "Entry", headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries/{id}/fields/{field}",
            "Read a field; the read is in the audit log before the answer is sent", .readValue,
            gives: "FieldValue", query: ["version"]),
        Operation(
            "POST", "/api/v1/values",
            "Read up to 64 fields, all or none; the reads are in the audit log before the answer is sent", .readValue,
            takes: "ValuesRead", gives: "Values"),
        Operation(
            "GET", "/api/v1/entries/{id}/fields/{field}/totp", "Get a one-time code, not its seed", .readCode,
            gives: "Code"),
        Operation(
            "GET", "/api/v1/trash", "List trashed entries", .listTrash, gives: "EntryList", query: page),
        Operation(
            "DELETE", "/api/v1/trash/{id}", "Delete a trashed entry for good", .purgeEntry),
        Operation(
            "POST", "/api/v1/deposits", "Deposit an entry that the depositor cannot read back", .deposit,
            takes: "EntryWrite",
            gives: "Deposit", 201, headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/deposits", "List deposits", .listDeposits, gives: "EntryList", query: page),
        Operation(
            "POST", "/api/v1/deposits/{id}/accept", "Accept a deposit as an entry", .acceptDeposit, gives: "Entry"),
        Operation(
            "DELETE", "/api/v1/deposits/{id}", "Reject and delete a deposit", .rejectDeposit),

        Operation(
            "POST", "/api/v1/agents", "Create an agent; its token is shown this once", .createAgent,
            takes: "AgentWrite",
            gives: "AgentToken", 201, headers: ["Idempotency-Key"], limit: RequestLimits.agent),
        Operation(
            "GET", "/api/v1/agents", "List agents", .viewAgents, gives: "AgentList", query: page),
        Operation(
            "GET", "/api/v1/agents/{id}", "Get an agent", .viewAgents, gives: "Agent"),
        Operation(
            "PATCH", "/api/v1/agents/{id}", "Change an agent's grants or policy, pause or resume it", .changeAgent,
            takes: "AgentWrite",
            gives: "Agent", limit: RequestLimits.agent),
        Operation(
            "DELETE", "/api/v1/agents/{id}", "Revoke an agent; answers what it could read and has read", .revokeAgent,
            gives: "Disclosures"
        ),
        Operation(
            "POST", "/api/v1/agents/{id}/rotate", "Replace an agent's token; the old one ends", .rotateAgent,
            gives: "AgentToken"),
        Operation(
            "GET", "/api/v1/agents/{id}/disclosures", "List what an agent can read and has read", .viewDisclosures,
            gives: "Disclosures"),
        Operation(
            "GET", "/api/v1/audit", "List audit lines of the vault, newest first", .readAudit, gives: "Audit",
            query: page),
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
        if let action {
            content["security"] = [["token": []]]
            if action.rule.parties.contains(.agents) {
                content["description"] = .string(
                    action.rule.parties == [.agents] ? "For agents." : "For the owner and for agents.")
            }
        }
        return .object(content)
    }

    private static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }

    private static func parameter(_ name: String, in place: String, isRequired: Bool) -> JSON {
        let type: JSON = ["limit", "version"].contains(name) ? ["type": "integer", "minimum": 1] : ["type": "string"]
        return ["name": .string(name), "in": .string(place), "required": .bool(isRequired), "schema": type]
    }
}
