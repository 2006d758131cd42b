package import Foundation

/// A recorded response, for comparison with the OpenAPI document by `Tests/OpenAPI/validate.py`.
package struct AnswerRecord: Encodable, Sendable {
    package var method: String?
    /// The document's path template, such as `/entries/{id}`.
    package var path: String?
    package var status: Int?
    package var type: String?
    package var schema: String?
    /// The body of an accepted request; refused ones need not match the schema.
    package var request: String?
    package var body: String

    package init(
        method: String? = nil, path: String? = nil, status: Int? = nil, type: String? = nil, schema: String? = nil,
        request: String? = nil, body: String
    ) {
        self.method = method
        self.path = path
        self.status = status
        self.type = type
        self.schema = schema
        self.request = request
        self.body = body
    }

    /// For example `GET /livez 200`.
    package var outcome: String? { method.flatMap { method in path.map { "\(method) \($0) \(status ?? 0)" } } }
}

/// Comparison of responses with an OpenAPI document by independent programs.
package struct OpenAPICheck {
    package let document: URL

    package init(document: URL) { self.document = document }

    /// Differences from the document.
    package func complaints(_ records: [AnswerRecord]) throws -> [String] {
        let encoder = JSONEncoder()
        return try complaints(
            lines: records.map { String(decoding: try encoder.encode($0), as: UTF8.self) }.joined(separator: "\n"))
    }

    package func complaints(lines: String) throws -> [String] {
        let script = Project.folder.appending(path: "Tests/OpenAPI/validate.py").path
        let python = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "python3", [script, document.path],
            help: "make test installs it", input: lines)
        guard python.status == 0 else {
            throw Tool.Missing(description: "pip install openapi-spec-validator: \(python.errors)")
        }
        return python.output.split(separator: "\n").map(String.init)
    }

    /// Successful responses in the document, such as `GET /livez 200`, that were not recorded.
    package func untried(_ records: [AnswerRecord]) throws -> [String] {
        struct Content: Decodable { var paths: [String: [String: Methods]] }
        /// A path item contains operations and shared parameters.
        struct Methods: Decodable {
            struct Operation: Decodable { var responses: [String: Response] }
            struct Response: Decodable {}
            var responses: [String: Response]

            init(from decoder: any Decoder) throws {
                responses = (try? Operation(from: decoder))?.responses ?? [:]
            }
        }
        let paths = try JSONDecoder().decode(Content.self, from: Data(contentsOf: document)).paths
        let described = paths.flatMap { path, methods in
            methods.flatMap { method, operation in
                operation.responses.keys.filter { $0.hasPrefix("2") }.map { "\(method.uppercased()) \(path) \($0)" }
            }
        }
        return Set(described).subtracting(records.compactMap(\.outcome)).sorted()
    }
}
