import HTTPTypes
package import Vault

/// One API operation: a route with its body schemas and limits.
package struct Operation: Sendable {
    let method: String
    package let path: String
    let summary: String
    /// The action that the policy engine authorizes; nil for routes without authentication.
    package let action: Action?
    package var request: String?
    var response: String?
    var status = 200
    var query: [String] = []
    var headers: [String] = []
    /// Maximum body size in bytes.
    package let limit: Int
    /// Maximum number of JSON values in the body.
    let maxValues: Int

    private init(
        _ method: String, _ path: String, _ summary: String, _ action: Action?, accepts request: String? = nil,
        returns response: String? = nil, _ status: Int? = nil, query: [String] = [], headers: [String] = [],
        limit: Int = RequestLimits.small, values: Int = RequestLimits.values
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.action = action
        self.request = request
        self.response = response
        self.status = status ?? (response == nil ? 204 : 200)
        self.query = query
        self.headers = headers
        self.limit = limit
        maxValues = values
    }

    /// Denies a principal whose party can never perform the action.
    func authorize(_ principal: Principal?) throws(VaultError) {
        guard let principal, let action, !action.rule.parties.contains(principal.party) else { return }
        // Agents only: the use case gives an owner who deposits a more specific error.
        if principal.party == .agents { throw .ownerOnly }
    }

    /// Finds the operation of a method and a route such as `/api/v1/entries/{id}`. HEAD uses the operation of GET.
    static func find(_ method: HTTPRequest.Method, _ route: String?) -> Operation? {
        guard let route else { return nil }
        return byRoute["\(method == .head ? "GET" : method.rawValue) \(route)"]
    }

    /// The methods allowed on a path; empty for an unknown path.
    static func methods(of path: String) -> [String] {
        let segments = path.split(separator: "/")
        let found = all.filter { operation in
            let parts = operation.path.split(separator: "/")
            return parts.count == segments.count
                && zip(parts, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        // A literal segment wins over a parameter, as in the router: `/entries/search` is not an entry.
        let fewest = found.map { $0.path.filter { $0 == "{" }.count }.min()
        let methods = found.filter { $0.path.filter { $0 == "{" }.count == fewest }.map(\.method)
        return Set(methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
    }

    private static let byRoute = Dictionary(uniqueKeysWithValues: all.map { ("\($0.method) \($0.path)", $0) })

    private static let page = ["cursor", "limit"]

    package static let all: [Operation] = [
        Operation(
            "GET", "/livez", "Check that the process answers", nil, returns: "Health"),
        Operation(
            "GET", "/readyz", "Check readiness; 503 gives the reasons", nil, returns: "Health"),
        Operation(
            "GET", "/.well-known/clavitor", "Describe this node", nil, returns: "Node"),
        Operation(
            "GET", "/.well-known/clavitor/nodes", "List the fleet's nodes", nil, returns: "Nodes"),
        Operation(
            "GET", "/openapi.json", "Describe this API", nil, returns: "OpenAPI"),

        Operation(
            "POST", "/api/v1/accounts/prelogin",
            "Get the key derivation parameters; unknown addresses get the same response",
            nil,
            accepts: "PreloginRequest", returns: "Prelogin", limit: RequestLimits.unauthenticated),
        Operation(
            "POST", "/api/v1/accounts", "Register an account", nil, accepts: "Registration", 201,
            limit: RequestLimits.registration),
        Operation(
            "POST", "/api/v1/accounts/recover/begin",
            "Begin a recovery: prove the kit and get the l2Key wrapped for it; changes nothing", nil,
            accepts: "RecoveryBegin", returns: "RecoveryBegun", limit: RequestLimits.unauthenticated),
        Operation(
            "POST", "/api/v1/accounts/recover",
            "Recover the account: set a new password with the kit; ends every session, the kit and all passkeys", nil,
            accepts: "Recover", returns: "OwnerChange", 201),
        Operation(
            "POST", "/api/v1/passkeys/challenge", "Get a challenge for a passkey to sign", nil,
            returns: "PasskeyChallenge", limit: RequestLimits.unauthenticated),
        Operation(
            "POST", "/api/v1/sessions", "Sign in with a password or a passkey", nil, accepts: "Login",
            returns: "Session", 201,
            limit: RequestLimits.unauthenticated),
        Operation(
            "GET", "/api/v1/sessions", "List sessions", .listSessions, returns: "SessionList"),
        Operation(
            "DELETE", "/api/v1/sessions/{id}", "End a session; `current` is this one", .endSession),

        Operation(
            "GET", "/api/v1/account", "Get the account", .viewAccount, returns: "Account"),
        Operation(
            "DELETE", "/api/v1/account", "Delete the account and everything in it", .deleteAccount),
        Operation(
            "PUT", "/api/v1/account/password",
            "Change the password; ends every session, and the kit and passkeys that are not kept", .changePassword,
            accepts: "Password", returns: "OwnerChange"),
        Operation(
            "POST", "/api/v1/account/sign-out-everywhere",
            "End every session, including this one, and the kit and passkeys that are not kept",
            .signOutEverywhere,
            accepts: "SignOut", returns: "OwnerChange"),
        Operation(
            "PUT", "/api/v1/account/recovery", "Replace the recovery kit", .changeRecoveryKit, accepts: "Kit"),
        Operation(
            "DELETE", "/api/v1/account/recovery", "Remove the recovery kit", .changeRecoveryKit, accepts: "Proven"),
        Operation(
            "GET", "/api/v1/account/credentials", "List the recovery kit and the passkeys", .viewCredentials,
            returns: "CredentialList"),
        Operation(
            "POST", "/api/v1/account/passkeys", "Add a passkey", .addPasskey, accepts: "PasskeyEnrolment",
            returns: "Credential", 201),
        Operation(
            "PATCH", "/api/v1/account/passkeys/{id}", "Rename a passkey", .renamePasskey, accepts: "PasskeyName"),
        Operation(
            "DELETE", "/api/v1/account/passkeys/{id}", "Remove a passkey", .removePasskey, accepts: "Proven"),
        Operation(
            "POST", "/api/v1/account/totp", "Set up the second factor: begin without a code, confirm with a code",
            .confirmSecondFactor,
            accepts: "SecondFactorRequest", returns: "SecondFactor"),
        Operation(
            "DELETE", "/api/v1/account/totp", "Remove the second factor", .endSecondFactor, accepts: "Proven"),
        Operation(
            "GET", "/api/v1/account/l2", "Get the l2Key's generation and the entries that a rekey has not reached",
            .viewL2, returns: "L2Status", query: page),
        Operation(
            "PUT", "/api/v1/account/l2", "Begin a rekey with the next l2Key and a new kit; ends the other sessions",
            .rekeyL2, accepts: "L2Rekey"),

        Operation(
            "POST", "/api/v1/entries", "Create an entry", .createEntry, accepts: "EntryWrite", returns: "Entry", 201,
            headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries", "List entries without values; an agent gets the entries granted to it",
            .listEntries, returns: "EntryList",
            query: page),
        Operation(
            "POST", "/api/v1/entries/search", "Search by titles or text, and for the owner by tag or host", .search,
            accepts: "Search",
            returns: "EntryList"),
        Operation(
            "GET", "/api/v1/entries/{id}", "Get an entry without values", .viewEntry, returns: "Entry"),
        Operation(
            "PUT", "/api/v1/entries/{id}",
            "Replace an entry's fields; other members stay as they are when they are absent", .replaceEntry,
            accepts: "EntryWrite", returns: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "PATCH", "/api/v1/entries/{id}", "Change an entry; an agent may change only values granted to it",
            .changeValues,
            accepts: "EntryWrite",
            returns: "Entry",
            headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "DELETE", "/api/v1/entries/{id}", "Move an entry to the trash", .trashEntry, headers: ["If-Match"]),
        Operation(
            "GET", "/api/v1/entries/{id}/versions", "List versions", .listVersions, returns: "Versions"),
        Operation(
            "POST", "/api/v1/entries/{id}/restore", "Restore a version, or an entry from the trash", .restoreVersion,
            accepts: "Restore",
            returns: "Entry", headers: ["If-Match"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/entries/{id}/l2", "List an entry's L2 values of all versions", .exportL2,
            returns: "L2Values", query: page),
        Operation(
            "PUT", "/api/v1/entries/{id}/l2",
            "Give an entry another L2 key, with its L2 values encrypted anew; older versions that are not named are deleted",
            .rekeyEntry, accepts: "L2EntryRekey", headers: ["If-Match"], limit: RequestLimits.body,
            values: RequestLimits.rekeyValues),
        Operation(
            "GET", "/api/v1/entries/{id}/fields/{field}",
            "Read a field; the audit line is durable before the response is sent", .readValue,
            returns: "FieldValue", query: ["version"]),
        Operation(
            "POST", "/api/v1/values",
            "Read up to 64 fields, all or none; the audit lines are durable before the response is sent", .readValue,
            accepts: "ValuesRead", returns: "Values"),
        Operation(
            "GET", "/api/v1/entries/{id}/fields/{field}/totp", "Get a one-time code, not its seed", .readCode,
            returns: "Code"),
        Operation(
            "GET", "/api/v1/trash", "List trashed entries", .listTrash, returns: "EntryList", query: page),
        Operation(
            "DELETE", "/api/v1/trash/{id}", "Delete a trashed entry permanently", .purgeEntry),
        Operation(
            "POST", "/api/v1/deposits", "Deposit an entry that the depositor cannot read back", .deposit,
            accepts: "EntryWrite",
            returns: "Deposit", 201, headers: ["Idempotency-Key"], limit: RequestLimits.body),
        Operation(
            "GET", "/api/v1/deposits", "List deposits", .listDeposits, returns: "EntryList", query: page),
        Operation(
            "POST", "/api/v1/deposits/{id}/accept", "Accept a deposit as an entry", .acceptDeposit, returns: "Entry"),
        Operation(
            "DELETE", "/api/v1/deposits/{id}", "Reject and delete a deposit", .rejectDeposit),

        Operation(
            "POST", "/api/v1/agents", "Create an agent; the response shows its token once", .createAgent,
            accepts: "AgentWrite",
            returns: "AgentToken", 201, headers: ["Idempotency-Key"], limit: RequestLimits.agent),
        Operation(
            "GET", "/api/v1/agents", "List agents", .viewAgents, returns: "AgentList", query: page),
        Operation(
            "GET", "/api/v1/agents/{id}", "Get an agent", .viewAgents, returns: "Agent"),
        Operation(
            "PATCH", "/api/v1/agents/{id}", "Change an agent's grants or policy, pause or resume it", .changeAgent,
            accepts: "AgentWrite",
            returns: "Agent", limit: RequestLimits.agent),
        Operation(
            "DELETE", "/api/v1/agents/{id}", "Revoke an agent; returns what it could read and has read", .revokeAgent,
            returns: "Disclosures"
        ),
        Operation(
            "POST", "/api/v1/agents/{id}/rotate", "Replace an agent's token; the old token stops working", .rotateAgent,
            returns: "AgentToken"),
        Operation(
            "GET", "/api/v1/agents/{id}/disclosures", "List what an agent can read and has read", .viewDisclosures,
            returns: "Disclosures"),
        Operation(
            "GET", "/api/v1/audit", "List audit lines of the vault, newest first", .readAudit, returns: "Audit",
            query: page),
    ]
}
