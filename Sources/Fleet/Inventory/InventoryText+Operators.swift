/// Edits that begin a fleet.
extension InventoryText {
    /// The first node, in a text that has none and is no inventory without it.
    func first(_ node: Node) throws -> InventoryText {
        let whole = InventoryText(text + "\n" + entry(of: node).joined(separator: "\n") + "\n")
        _ = try Inventory(toml: whole.text)
        return whole
    }

    /// An operator at the end of the file, or with other keys where he stands.
    package func entering(_ entry: Inventory.Operator) throws -> InventoryText {
        let before = try Inventory(toml: text)
        var lines = TOMLLines(text)
        let values = [
            ("name", entry.name), ("address", entry.address), ("public-key", entry.publicKey),
            ("ssh-key", entry.sshKey), ("monitor-token", entry.monitorToken ?? ""),
        ].filter { !$0.1.isEmpty }
        let place = lines.entries("operator").first { lines.value(of: "name", in: $0) == TOMLLines.quoted(entry.name) }
        if let place {
            for (key, value) in values.reversed()
            where !lines.replaceValue(of: key, in: place, with: TOMLLines.quoted(value)) {
                lines.insert(["\(key) = \(TOMLLines.quoted(value))"], at: place.upperBound)
            }
        } else {
            lines.insert(
                ["", "[[operator]]"] + values.map { "\($0) = \(TOMLLines.quoted($1))" }, at: lines.count)
        }
        var expected = before
        if let index = before.operators.firstIndex(where: { $0.name == entry.name }) {
            expected.operators[index] = entry
        } else {
            expected.operators.append(entry)
        }
        return try demand(expected, lines, entry.name)
    }

    /// A job at the end of the file, or with another push token where it stands.
    package func entering(_ job: Inventory.Job) throws -> InventoryText {
        var expected = try Inventory(toml: text)
        var lines = TOMLLines(text)
        let token = TOMLLines.quoted(job.pushToken ?? "")
        if let index = expected.jobs.firstIndex(where: { $0.name == job.name }) {
            expected.jobs[index].pushToken = job.pushToken ?? ""
            guard
                let place = lines.entries("job").first(where: {
                    lines.value(of: "name", in: $0) == TOMLLines.quoted(job.name)
                })
            else { throw InventoryError.notWritten(job.name) }
            if !lines.replaceValue(of: "push-token", in: place, with: token) {
                lines.insert(["push-token = \(token)"], at: place.upperBound)
            }
        } else {
            expected.jobs.append(job)
            lines.insert(
                [
                    "", "[[job]]", "name = \(TOMLLines.quoted(job.name))", "every = \(TOMLLines.quoted(job.every))",
                    "push-token = \(token)",
                ], at: lines.count)
        }
        return try demand(expected, lines, job.name)
    }

    /// Who can open backups.
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
