extension ChannelSettings: Decodable {
    private enum CodingKeys: String, CodingKey {
        case name, type, url, template, style, host, port, tls, username, from, to
        case urlFile = "url-file"
        case keyFile = "key-file"
        case tokenFile = "token-file"
        case passwordFile = "password-file"
        case contentType = "content-type"
        case groupWait = "group-wait"
        case groupInterval = "group-interval"
        case chat = "chat-id"
    }

    package init(from decoder: any Decoder) throws {
        let table = try Table(decoder)
        guard let type = ChannelType(rawValue: table.type) else {
            throw NotificationSettingsError.unknownType(table.type, channel: table.name)
        }
        switch type {
        case .webhook:
            try table.allow(.urlFile, .keyFile, .template, .contentType)
            kind = .webhook(
                Webhook(
                    urlFile: try table.text(.urlFile), keyFile: try table.optional(.keyFile),
                    template: try table.optional(.template), contentType: try table.optional(.contentType)))
        case .ntfy:
            try table.allow(.urlFile, .tokenFile)
            kind = .ntfy(urlFile: try table.text(.urlFile), tokenFile: try table.optional(.tokenFile))
        case .chat:
            try table.allow(.urlFile, .style)
            let style = try table.choice(.style, among: [ChatStyle.slack, .discord]) ?? .slack
            kind = .chat(urlFile: try table.text(.urlFile), style)
        case .pagerduty:
            try table.allow(.keyFile, .url)
            kind = .pagerDuty(keyFile: try table.text(.keyFile), url: try table.optional(.url))
        case .telegram:
            try table.allow(.tokenFile, .chat, .url)
            kind = .telegram(
                tokenFile: try table.text(.tokenFile), chat: try table.text(.chat), url: try table.optional(.url))
        case .email:
            try table.allow(.host, .port, .tls, .username, .passwordFile, .from, .to)
            kind = .email(
                Email(
                    host: try table.text(.host), port: try table.container.decodeIfPresent(Int.self, forKey: .port),
                    security: try table.choice(.tls, among: [Email.Security.implicit, .starttls, .none]) ?? .starttls,
                    username: try table.optional(.username), passwordFile: try table.optional(.passwordFile),
                    from: try table.text(.from), to: try table.container.decode([String].self, forKey: .to)))
        }
        name = table.name
        // Seconds. Values out of range are rejected later.
        func milliseconds(_ key: CodingKeys) throws -> Int64? {
            guard let seconds = try table.container.decodeIfPresent(Int64.self, forKey: key) else { return nil }
            let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
            return overflow ? .max : product
        }
        grouping = Grouping(
            wait: try milliseconds(.groupWait) ?? Grouping.standard.wait,
            interval: try milliseconds(.groupInterval) ?? Grouping.standard.interval)
    }

    private struct Table {
        let decoder: any Decoder
        let container: KeyedDecodingContainer<CodingKeys>
        let name: String
        let type: String

        init(_ decoder: any Decoder) throws {
            self.decoder = decoder
            container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decodeIfPresent(String.self, forKey: .name) ?? ""
            guard !name.isEmpty else { throw NotificationSettingsError.missing(key: "name", channel: "without a name") }
            guard let type = try container.decodeIfPresent(String.self, forKey: .type) else {
                throw NotificationSettingsError.missing(key: "type", channel: name)
            }
            self.type = type
        }

        func allow(_ keys: CodingKeys...) throws {
            let known = (keys + [.name, .type, .groupWait, .groupInterval]).map(\.rawValue)
            try decoder.rejectUnknownKeys(than: known, in: "the \(type) channel \(name)")
        }

        func optional(_ key: CodingKeys) throws -> String? { try container.decodeIfPresent(String.self, forKey: key) }

        func text(_ key: CodingKeys) throws -> String {
            guard let text = try optional(key) else {
                throw NotificationSettingsError.missing(key: key.rawValue, channel: name)
            }
            return text
        }

        func choice<Word: RawRepresentable<String>>(_ key: CodingKeys, among words: [Word]) throws -> Word? {
            guard let text = try optional(key) else { return nil }
            guard let word = Word(rawValue: text) else {
                let choices = words.map(\.rawValue).joined(separator: ", ")
                throw NotificationSettingsError.badValue(
                    "\(key.rawValue) of \(name)", "\"\(text)\" must be one of \(choices)")
            }
            return word
        }
    }
}
