/// A TSIG key as programs write it into files: the line `algorithm:name:secret`, also with `keymgr`'s `#` in front, the
/// lines that `keymgr -t` prints for knot's configuration, or those of `tsig-keygen` for BIND's.
struct TSIGKeyText {
    /// `algorithm:name:secret`, or what else stands there.
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
    /// What keys and tokens are made of: no other byte belongs into a header or a configuration.
    var isVisibleASCII: Bool { utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
