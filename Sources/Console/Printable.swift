extension String {
    /// The text with control characters made visible, also those that turn the direction of writing: titles come from
    /// agents and reasons from nodes, and a terminal obeys some of them.
    package var printable: String { printable(keeping: "") }

    /// Without touching those that are `allowed`, such as the end of a line.
    package func printable(keeping allowed: String) -> String {
        var view = UnicodeScalarView()
        for scalar in unicodeScalars {
            let isControl =
                scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                || (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            view.append(isControl && !allowed.unicodeScalars.contains(scalar) ? "\u{fffd}" : scalar)
        }
        return String(view)
    }

    /// What somebody else said, for a sentence of ours: one line of at most so many characters, and none that a terminal
    /// obeys.
    package func quotation(most: Int = 300) -> String {
        var view = UnicodeScalarView()
        for scalar in unicodeScalars.prefix(most) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: view.append("\u{fffd}")
            default: view.append(scalar)
            }
        }
        return String(view)
    }
}
