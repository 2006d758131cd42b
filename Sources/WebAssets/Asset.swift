import Crypto
import Encoding

/// A file for browsers that is embedded in a program.
package struct Asset: Sendable {
    /// The path as the sources name it. `/assets/NAME` is served under a versioned URL, anything else as it is.
    package let path: String
    package let mediaType: String
    package let bytes: [UInt8]

    package init(path: String, mediaType: String, bytes: [UInt8]) {
        self.path = path
        self.mediaType = mediaType
        self.bytes = bytes
    }

    static let folder = "/assets/"

    /// The name below `/assets/`; nil for a page or document.
    var name: String? { path.hasPrefix(Self.folder) ? String(path.dropFirst(Self.folder.count)) : nil }

    var isPage: Bool { mediaType.hasPrefix("text/html") }
    var isModule: Bool { mediaType.hasPrefix("text/javascript") }

    /// The metadata for Subresource Integrity (W3C SRI, section 3.1), such as `sha384-…`.
    var integrity: String { "sha384-\(Base64.encode(Array(SHA384.hash(data: bytes))))" }
}
