/// Parses the file formats of TSIG keys: the line `algorithm:name:secret`, optionally with `keymgr`'s leading `#`, the output
/// of `keymgr -t` for knot's configuration, or that of `tsig-keygen` for BIND's.
struct TSIGKeyText {
    /// `algorithm:name:secret`, or the unparsed text.
    let line: String

    init(_ text: String) {
        let words = text.split { $0.isWhitespace || "\"{}:;".contains($0) }
        func value(after key: String) -> Substring? {
            words.firstIndex { $0 == key }.flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
        if let algorithm = value(after: "algorithm"), let secret = value(after: "secret"),
            let name = value(after: "id") ?? value(after: "key")
        {
            line = "\(algorithm):\(name):\(secret)"
        } else {
            line = text.filter { !$0.isWhitespace && $0 != "#" }
        }
    }
}

extension StringProtocol {
    /// Whether the text has only visible ASCII characters, as required for keys and tokens in headers and configurations.
    var isVisibleASCII: Bool { utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
