import FoundationEssentials

/// One e-mail: who it is from and for, and its text as RFC 5322 wants it. Pure ASCII, whatever the message says.
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
            "Date: \(InternetDate.mail(at))",
            // The same each time it is sent, so that a mailbox can tell that it has it already.
            "Message-ID: <\(message.key)@\(domain)>",
        ]
        // Mail programs show what has the same reference as one conversation.
        if ids.count == 1, message.total == 1, let id = ids.first { headers.append("References: <\(id)@\(domain)>") }
        headers += [
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            // So that no absence assistant answers (RFC 3834).
            "Auto-Submitted: auto-generated",
        ]
        if message.isAlarm, message.severity > .warning { headers.append("Importance: high") }
        let link = message.link(from: dashboard).map { ["", $0] } ?? []
        let body = ([content.title, ""] + content.lines + link).joined(separator: "\r\n") + "\r\n"
        self.from = from
        self.to = to
        text = headers.joined(separator: "\r\n") + "\r\n\r\n" + Self.folded(Data(body.utf8).base64EncodedString())
    }

    /// As it is, or in encoded words of at most 75 characters, none of which splits a character (RFC 2047).
    package static func subject(_ title: String) -> String {
        let line = MessageText.line(title, most: 200)
        if line.isHeaderValue, line.utf8.count <= 60, !line.contains("=?") { return line }
        var words: [String] = []
        var word = ""
        for scalar in line.unicodeScalars {
            // 39 bytes are 52 characters of base64, with 12 around them; the first word stands behind "Subject: ".
            if word.utf8.count + String(scalar).utf8.count > 39 {
                words.append(word)
                word = ""
            }
            word.unicodeScalars.append(scalar)
        }
        return (words + [word]).map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// In lines of 76 characters, each ended.
    private static func folded(_ base64: String) -> String {
        var lines = ""
        var rest = base64[...]
        while !rest.isEmpty {
            lines += rest.prefix(76) + "\r\n"
            rest = rest.dropFirst(76)
        }
        return lines
    }

    /// What follows DATA: a dot before each that begins a line, and the one that ends it all (RFC 5321 section 4.5.2).
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
