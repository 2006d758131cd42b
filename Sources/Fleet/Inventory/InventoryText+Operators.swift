/// Edits for the setup of a fleet.
extension InventoryText {
    /// Adds the first node to a text that is not a valid inventory without it.
    func first(_ node: Node) throws -> InventoryText {
        let whole = InventoryText(text + "\n" + entry(of: node).joined(separator: "\n") + "\n")
        _ = try Inventory(toml: whole.text)
        return whole
    }

    /// Adds an operator at the end of the file, or changes the keys of the existing entry.
    package func entering(_ entry: Inventory.Operator) throws -> InventoryText {
        let before = try Inventory(toml: text)
        var lines = TOMLLines(text)
        let values = [
            ("name", entry.name), ("address", entry.address), ("public-key", entry.publicKey),
            ("ssh-key", entry.sshKey), ("monitor-token", entry.monitorToken ?? ""),
        ].filter { !$0.1.isEmpty }
        Self.enter(values, as: "operator", entry.name, &lines)
        var expected = before
        if let index = before.operators.firstIndex(where: { $0.name == entry.name }) {
            expected.operators[index] = entry
        } else {
            expected.operators.append(entry)
        }
        return try demand(expected, lines, entry.name)
    }

    /// Adds a job at the end of the file, or changes the push token of the existing entry.
    package func entering(_ job: Inventory.Job) throws -> InventoryText {
        var expected = try Inventory(toml: text)
        var lines = TOMLLines(text)
        var values = [("push-token", job.pushToken ?? "")]
        if let index = expected.jobs.firstIndex(where: { $0.name == job.name }) {
            expected.jobs[index].pushToken = job.pushToken ?? ""
        } else {
            expected.jobs.append(job)
            values = [("name", job.name), ("every", job.every)] + values
        }
        Self.enter(values, as: "job", job.name, &lines)
        return try demand(expected, lines, job.name)
    }

    /// Sets values of the entry of that kind and name, or adds it at the end of the file.
    private static func enter(
        _ values: [(key: String, value: String)], as kind: String, _ name: String, _ lines: inout TOMLLines
    ) {
        let place = lines.entries(kind).first { lines.value(of: "name", in: $0) == TOMLLines.quoted(name) }
        guard let place else {
            lines.insert(["", "[[\(kind)]]"] + values.map { "\($0) = \(TOMLLines.quoted($1))" }, at: lines.count)
            return
        }
        for (key, value) in values.reversed()
        where !lines.replaceValue(of: key, in: place, with: TOMLLines.quoted(value)) {
            lines.insert(["\(key) = \(TOMLLines.quoted(value))"], at: place.upperBound)
        }
    }

    /// Sets who can decrypt backups.
    package func settingRecipients(_ recipients: [String]) throws -> InventoryText {
        var expected = try Inventory(toml: text)
        var lines = TOMLLines(text)
        if let table = lines.table("backup") {
            if !lines.replaceValue(of: "recipients", in: table, with: TOMLLines.quoted(recipients)) {
                lines.insert(["recipients = \(TOMLLines.quoted(recipients))"], at: table.lowerBound + 1)
            }
        } else {
            lines.insert(["", "[backup]", "recipients = \(TOMLLines.quoted(recipients))"], at: lines.count)
        }
        var backup = expected.backup ?? Inventory.Backup()
        backup.recipients = recipients
        expected.backup = backup
        return try demand(expected, lines, "[backup]")
    }

    private func demand(_ expected: Inventory, _ lines: TOMLLines, _ name: String) throws -> InventoryText {
        guard let made = try? Inventory(toml: lines.text), made == expected else {
            throw InventoryError.notWritten(name)
        }
        return InventoryText(lines.text)
    }
}
