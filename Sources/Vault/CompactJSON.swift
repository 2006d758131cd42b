/// A fast writer for one JSON object, used twice in every read.
///
/// Foundation's encoder takes longer than decrypting the value. Members are written in the order of the calls.
package struct CompactJSON {
    package private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    package init() {
        bytes.reserveCapacity(256)
    }

    package consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    package mutating func add(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        begin(name)
        append(value)
    }

    package mutating func add(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        begin(name)
        bytes += String(value).utf8
    }

    package mutating func add(_ name: StaticString, _ values: [String]?) {
        guard let values else { return }
        begin(name)
        append(values)
    }

    /// Adds an object of strings, without those that are nil.
    package mutating func add(_ name: StaticString, _ members: KeyValuePairs<String, String?>) {
        begin(name)
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for case (let key, let value?) in members {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(key)
            bytes.append(UInt8(ascii: ":"))
            append(value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Adds an object with sorted keys, so that equal values have equal bytes.
    package mutating func add(_ name: StaticString, _ values: [String: [String]]?) {
        guard let values else { return }
        begin(name)
        bytes.append(UInt8(ascii: "{"))
        for (index, key) in values.keys.sorted().enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(key)
            bytes.append(UInt8(ascii: ":"))
            append(values[key] ?? [])
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func begin(_ name: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(name.description)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ values: [String]) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Appends a string, escaped according to RFC 8259 section 7.
    private mutating func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes += Array("\\u00".utf8)
                bytes.append(Self.hexadecimal[Int(byte >> 4)])
                bytes.append(Self.hexadecimal[Int(byte & 15)])
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
