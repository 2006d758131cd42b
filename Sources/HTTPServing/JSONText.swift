import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import NIOCore
import Secrets
import Wire

/// JSON of request and response bodies. Both may have secrets, so the copies that coding needs are wiped.
package enum JSONText {
    /// - Throws: A 400 `Problem` that names the member.
    package static func decode<Body: Decodable>(_ bytes: [UInt8]) throws -> Body {
        do {
            var data = Data(bytes)
            defer { wipe(&data) }
            return try JSONDecoder().decode(Body.self, from: data)
        } catch let error as DecodingError {
            throw Problem(error)
        }
    }

    package static func encode(_ body: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        var data = try encoder.encode(body)
        defer { wipe(&data) }
        return Array(data)
    }
}

extension Response {
    package init(
        json body: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) throws {
        self.init(bytes: try JSONText.encode(body), status: status, type: type)
    }

    package init(bytes: [UInt8], status: HTTPResponse.Status = .ok, type: String = "application/json") {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    package init(text: String, status: HTTPResponse.Status = .ok, type: String) {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    package static let noContent = Response(status: .noContent)
}
