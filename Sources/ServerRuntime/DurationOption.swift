import ArgumentParser

/// A duration as an option or a TOML value: `90s`, `30m`, `12h` or `30d`.
package struct DurationOption: Equatable, Sendable, ExpressibleByArgument, Decodable, CustomStringConvertible {
    package let seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()), number > 0,
            number <= 3_650 * 86_400 / unit
        else { return nil }
        seconds = number * unit
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let duration = DurationOption(argument: text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "\"\(text)\" must be a duration such as 90s, 30m, 12h or 7d")
            )
        }
        self = duration
    }

    package var description: String {
        for (unit, length) in [("d", Int64(86_400)), ("h", 3_600), ("m", 60)] where seconds % length == 0 {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}
