import FoundationEssentials

/// One e-mail: sender, recipient, and the text in the format of RFC 5322. Pure ASCII, whatever the message contains.
package struct Mail: Equatable, Sendable {
    package let from: String
    package let to: String
    /// Lines end in CRLF.
    package let text: String

    package init(_ message: Message, from: String, to: String, dashboard: String?, at: Int64) {
        let content = MessageText(message)
        let domain = from.split(separator: "@").last.map(String.init) ?? "localhost"
        let ids = Set(message.changes.map { "incident.\($0.incident.id).\($0.incident.opened)" })
        var headers = [
            "From: Clavitor <\(from)>",
            "To: \(to)",
            "Subject: \(Self.subject(content.title))",
            "Date: \(MailDate.text(at))",
            // The same for each attempt, so that a mailbox can detect duplicates.
            "Message-ID: <\(message.key)@\(domain)>",
        ]
        // Mail clients group messages with the same reference.
        if ids.count == 1, message.total == 1, let id = ids.first { headers.append("References: <\(id)@\(domain)>") }
        headers += [
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            // Prevents automatic replies (RFC 3834).
            "Auto-Submitted: auto-generated",
        ]
        if message.isAlarm, message.severity > .warning { headers.append("Importance: high") }
        let link = message.link(from: dashboard).map { ["", $0] } ?? []
        let body = ([content.title, ""] + content.lines + link).joined(separator: "\r\n") + "\r\n"
        self.from = from
        self.to = to
        text = headers.joined(separator: "\r\n") + "\r\n\r\n" + Self.folded(Data(body.utf8).base64EncodedString())
    }

    /// Returns the subject unchanged, or in encoded words of at most 75 characters, none of which splits a character
    /// (RFC 2047).
    package static func subject(_ title: String) -> String {
        let line = MessageText.line(title, limit: 200)
        if line.isHeaderValue, line.utf8.count <= 60, !line.contains("=?") { return line }
        var words: [String] = []
        var word = ""
        for scalar in line.unicodeScalars {
            // 39 bytes are 52 characters of base64, with 12 around them; the first word follows "Subject: ".
            if word.utf8.count + String(scalar).utf8.count > 39 {
                words.append(word)
                word = ""
            }
            word.unicodeScalars.append(scalar)
        }
        return (words + [word]).map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// Splits into terminated lines of 76 characters.
    private static func folded(_ base64: String) -> String {
        var lines = ""
        var rest = base64[...]
        while !rest.isEmpty {
            lines += rest.prefix(76) + "\r\n"
            rest = rest.dropFirst(76)
        }
        return lines
    }

    /// The data after DATA: dot-stuffed, with the terminating line (RFC 5321 section 4.5.2).
    package static func stuffed(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var isAtStart = true
        for byte in text.utf8 {
            if isAtStart, byte == UInt8(ascii: ".") { bytes.append(byte) }
            bytes.append(byte)
            isAtStart = byte == UInt8(ascii: "\n")
        }
        if !isAtStart { bytes += Array("\r\n".utf8) }
        return bytes + Array(".\r\n".utf8)
    }
}
