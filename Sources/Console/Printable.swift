extension String {
    /// The text with control and bidirectional formatting characters replaced by U+FFFD: untrusted text must not control
    /// the terminal.
    package var printable: String { printable(keeping: "") }

    /// The same, but keeps the control characters in `allowed`, such as line feeds.
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

    /// Untrusted text for use in a message: one line of at most `limit` scalars, without any that control the terminal.
    package func sanitizedLine(limit: Int = 300) -> String {
        var view = UnicodeScalarView()
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: view.append("\u{fffd}")
            default: view.append(scalar)
            }
        }
        return String(view)
    }
}
