import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import Wire

extension Request {
    /// The body as bytes.
    ///
    /// - Throws: A 413 problem past the limit.
    func bytes(in context: some RequestContext) async throws -> [UInt8] {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > context.maxUploadSize {
            throw Problem.tooLarge
        }
        do {
            let buffer = try await body.collect(upTo: context.maxUploadSize)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge
        }
    }

    /// The body as a value, strictly.
    func json<Body: Decodable>(_: Body.Type = Body.self, in context: some RequestContext) async throws -> Body {
        try JSONText.decode(try await bytes(in: context))
    }

    /// The version in `If-Match: "7"`.
    func expectedVersion() throws(Problem) -> Int {
        guard let text = headers[.ifMatch] else { throw .preconditionRequired }
        let bare =
            text.hasPrefix("\"") && text.hasSuffix("\"") && text.count > 2 ? text.dropFirst().dropLast() : text[...]
        guard let version = Int(bare), version > 0 else {
            throw Problem(
                "malformed", status: 400, title: "Malformed request", detail: "If-Match holds a version, as in \"3\".")
        }
        return version
    }

    /// The page that `?cursor=…&limit=…` asks for.
    func page() throws(Problem) -> (after: Int64?, limit: Int) {
        let cursor = uri.queryParameters.get("cursor")
        let limit = uri.queryParameters.get("limit")
        return (try Cursor.decode(cursor), try RequestLimits.page(limit))
    }
}

extension RequestLimits {
    static func page(_ text: String?) throws(Problem) -> Int {
        guard let text else { return standardPage }
        guard let limit = Int(text) else { throw .malformed("limit", "is a number from 1 to \(page)") }
        return try check(limit)
    }

    static func check(_ limit: Int) throws(Problem) -> Int {
        guard (1...page).contains(limit) else { throw .malformed("limit", "is a number from 1 to \(page)") }
        return limit
    }
}

/// Where a list goes on: eight bytes that mean nothing to a client.
enum Cursor {
    static func encode(_ position: Int64?) -> String? {
        position.map { Base64URL.encode($0.bigEndianBytes) }
    }

    static func decode(_ text: String?) throws(Problem) -> Int64? {
        guard let text else { return nil }
        guard let bytes = Base64URL.decode(text), bytes.count == 8 else {
            throw .malformed("cursor", "is what the page before gave as `next`")
        }
        return bytes.reduce(0) { $0 << 8 | Int64($1) }
    }
}

enum JSONText {
    static func decode<Body: Decodable>(_ bytes: [UInt8]) throws -> Body {
        do throws(StrictJSON.Malformed) {
            try StrictJSON.check(bytes)
        } catch {
            throw Problem(
                "malformed", status: 400, title: "Malformed JSON", detail: "\(error.reason), at byte \(error.offset).")
        }
        do {
            return try JSONDecoder().decode(Body.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem(error)
        }
    }

    static func encode(_ body: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return Array(try encoder.encode(body))
    }
}

extension Response {
    /// A JSON answer.
    init(_ body: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json") throws {
        self.init(json: try JSONText.encode(body), status: status, type: type)
    }

    init(json: [UInt8], status: HTTPResponse.Status = .ok, type: String = "application/json") {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }

    /// An entry with its version as the tag to send back in `If-Match`.
    init(entry: EntryBody, status: HTTPResponse.Status = .ok) throws {
        try self.init(entry, status: status)
        headers[.eTag] = "\"\(entry.version)\""
    }

    static let nothing = Response(status: .noContent)
}
