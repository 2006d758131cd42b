import FoundationEssentials

/// The OpenAPI 3.1 document, served at `/openapi.json`. A test compares it with the routes.
package enum OpenAPI {
    package static func document(version: String) throws -> [UInt8] {
        var paths: [String: [String: JSON]] = [:]
        for operation in Operation.all {
            paths[operation.path, default: [:]][operation.method.lowercased()] = operation.json
        }
        let document: JSON = [
            "openapi": "3.1.0",
            "info": [
                "title": "Clavitor node", "version": .string(version),
                "summary": "A password and credential vault with access control per field.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths.mapValues(JSON.object)),
            "components": [
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer", "bearerFormat": "clv_ses_… or clv_agt_…"]
                ],
                "schemas": .object(Schema.all.mapValues(\.json)),
                "responses": [
                    "Problem": [
                        "description": "The problem and how to resolve it (RFC 9457).",
                        "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
                    ]
                ],
            ],
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }
}

/// A JSON value for encoding.
enum JSON: Encodable, Sendable, ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    case string(String)
    case integer(Int)
    case bool(Bool)
    case array([JSON])
    case object([String: JSON])

    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(uniqueKeysWithValues: elements)) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
