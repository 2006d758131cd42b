import Vault

/// An operation in the OpenAPI document.
extension Operation {
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
                "required": true, "description": .string("At most \(limit) bytes and \(maxValues) JSON values."),
                "content": ["application/json": ["schema": Self.reference(request)]],
            ]
        }
        content["responses"] = .object(responses)
        if action != nil { content["security"] = [["token": []]] }
        if let description { content["description"] = .string(description) }
        return .object(content)
    }

    private var responses: [String: JSON] {
        var success: [String: JSON] = ["description": .string(response == nil ? "Done." : summary)]
        if let response { success["content"] = ["application/json": ["schema": Self.reference(response)]] }
        if response == "Entry" {
            success["headers"] = [
                "ETag": [
                    "description": "The entry's version in quotes, for If-Match.", "schema": ["type": "string"],
                ]
            ]
        }
        var responses: [String: JSON] = [
            "\(status)": .object(success), "default": ["$ref": "#/components/responses/Problem"],
        ]
        if path == "/readyz" {
            responses["503"] = [
                "description": "Not ready, with the reasons.",
                "content": ["application/json": ["schema": Self.reference("Health")]],
            ]
        }
        return responses
    }

    /// Who may use the operation, and with which session.
    private var description: String? {
        switch action?.rule {
        case .everyPrincipal, .verbs: "Owner and agents."
        case .agents: "Agents only."
        case .freshOwner: "The session must be younger than ten minutes, else `reauthenticate`."
        case .owner, nil: nil
        }
    }

    private static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }

    private static func parameter(_ name: String, in place: String, isRequired: Bool) -> JSON {
        let type: JSON = ["limit", "version"].contains(name) ? ["type": "integer", "minimum": 1] : ["type": "string"]
        var content: [String: JSON] = [
            "name": .string(name), "in": .string(place), "required": .bool(isRequired), "schema": type,
        ]
        if let meaning = meanings[name] { content["description"] = .string(meaning) }
        return .object(content)
    }

    private static let meanings = [
        "If-Match": "The version that was read, in quotes. To restore: required with `version` in the body.",
        "Idempotency-Key":
            "1 to 128 bytes. For a day the same request with the same key gets the recorded answer; another request is refused.",
        "cursor": "The `next` of the page before.",
        "limit": "Items per page, at most \(RequestLimits.page); \(RequestLimits.standardPage) if absent.",
    ]
}
