import TOMLKit

/// The problems of `[break-glass]`, `[backup]`, the channels, the routes and the jobs.
struct DutyProblems {
    private let root: InventoryEntry

    init(_ root: InventoryEntry) { self.root = root }

    func all() -> [String] { breakGlass() + backup() + channels() + jobs() }

    private func breakGlass() -> [String] {
        let entry = root.entry("break-glass")
        let (key, from) = (entry.text("ssh-key"), entry.texts("from"))
        return broken([
            (key.isEmpty != from.isEmpty, "break-glass needs a key and an address, or neither"),
            (!key.isEmpty && !InventoryForms.isBreakGlassKey(key), "break-glass.ssh-key is no ed25519 key"),
        ]) + from.filter { !InventoryForms.isIPv4($0) }.map { "break-glass.from is no address: \($0)" }
    }

    private func backup() -> [String] {
        guard root.table["backup"] != nil else { return [] }
        let entry = root.entry("backup")
        let (every, keep, target) = (entry.text("every"), entry.text("keep"), entry.text("target"))
        return entry.texts("recipients").filter { !InventoryForms.isRecipient($0) }.map {
            "backup.recipients has \($0), which is no recipient of age: they begin with age1"
        }
            + broken([
                (
                    !every.isEmpty && !InventoryForms.isDuration(every),
                    "backup.every is \(every); it must be a duration such as 12h or 1d"
                ),
                (
                    !keep.isEmpty && !InventoryForms.isRetention(keep),
                    "backup.keep is \(keep); it must be four numbers, last,daily,weekly,monthly"
                ),
                (
                    !target.isEmpty && !InventoryForms.isBackupFolder(target),
                    "backup.target is \(target); it must be a folder below /var/, and none of the programs' own"
                ),
            ])
    }

    private func channels() -> [String] {
        let entries = root.entries("channel")
        let names = entries.map { $0.text("name") }
        return twice("channel", names)
            + entries.flatMap(inspect)
            + root.entries("route").filter { !names.contains($0.text("channel")) }.map {
                "a route leads to the channel \($0.text("channel")), which is not there"
            }
    }

    private func jobs() -> [String] {
        let entries = root.entries("job")
        let names = entries.map { $0.text("name") }
        let nodes = root.entries("node").map { $0.text("name") }
        return twice("job", names)
            + names.filter(nodes.contains).map { "job \($0) has the name of a node: the monitor knows both by it" }
            + entries.flatMap(inspectJob)
    }

    private func inspectJob(_ job: InventoryEntry) -> [String] {
        let (name, every, token) = (job.text("name"), job.text("every"), job.text("push-token"))
        return broken([
            (!InventoryForms.isName(name), "\"\(name)\" is no name of a job: small letters, digits and hyphens"),
            (
                !InventoryForms.isDuration(every),
                "job \(name)'s every is \(every); it must be a duration such as 12h or 1d"
            ),
            (
                !token.isEmpty && !InventoryForms.isDigest(token),
                "job \(name)'s push-token is no SHA-256 in hexadecimal"
            ),
        ])
    }

    private func inspect(_ channel: InventoryEntry) -> [String] {
        let (name, type) = (channel.text("name"), channel.text("type"))
        let types = Inventory.Channel.needed.keys.sorted()
        let parts = Inventory.Channel.parts
        return broken([
            (!InventoryForms.isName(name), "\"\(name)\" is no name of a channel: small letters, digits and hyphens"),
            (
                !types.contains(type),
                "channel \(name)'s type is \(types.dropLast().joined(separator: ", ")) or \(types.last ?? ""), not \(type)"
            ),
        ])
            + channel.texts("secrets").filter { !parts.contains($0) }.map {
                "channel \(name)'s secrets are \(parts.joined(separator: ", ")), not \($0)"
            }
            + channel.keys.filter { $0.hasSuffix("-file") }.map {
                "channel \(name) names a file, \($0): its secret is kept by `clavitor-soc secrets`"
            }
    }
}
