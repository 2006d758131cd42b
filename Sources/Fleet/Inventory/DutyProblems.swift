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
            (key.isEmpty != from.isEmpty, "[break-glass] must have both ssh-key and from, or neither"),
            (!key.isEmpty && !InventoryForms.isBreakGlassKey(key), "break-glass.ssh-key must be an Ed25519 public key"),
        ])
            + from.filter { !InventoryForms.isIPv4($0) }.map {
                "break-glass.from has \($0); it must be a list of IPv4 addresses"
            }
    }

    private func backup() -> [String] {
        guard root.table["backup"] != nil else { return [] }
        let entry = root.entry("backup")
        let (every, keep, target) = (entry.text("every"), entry.text("keep"), entry.text("target"))
        return entry.texts("recipients").filter { !InventoryForms.isRecipient($0) }.map {
            "backup.recipients has \($0); it must be a list of age recipients, age1… or ssh-ed25519 …"
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
                    "backup.target is \(target); it must be a directory below /var/ that no program owns"
                ),
            ])
    }

    private func channels() -> [String] {
        let entries = root.entries("channel")
        let names = entries.map { $0.text("name") }
        return twice("channel", names)
            + entries.flatMap(inspect)
            + root.entries("route").filter { !names.contains($0.text("channel")) }.map {
                "a route's channel is \($0.text("channel")); it must be the name of a channel"
            }
    }

    private func jobs() -> [String] {
        let entries = root.entries("job")
        let names = entries.map { $0.text("name") }
        let nodes = root.entries("node").map { $0.text("name") }
        return twice("job", names)
            + names.filter(nodes.contains).map {
                "job \($0) must not have the name of a node: the monitor identifies both by name"
            }
            + entries.flatMap(inspectJob)
    }

    private func inspectJob(_ job: InventoryEntry) -> [String] {
        let (name, every, token) = (job.text("name"), job.text("every"), job.text("push-token"))
        return broken([
            (!InventoryForms.isName(name), "the name of a job is \"\(name)\"; \(nameRule)"),
            (
                !InventoryForms.isDuration(every),
                "job \(name)'s every is \(every); it must be a duration such as 12h or 1d"
            ),
            (
                !token.isEmpty && !InventoryForms.isDigest(token),
                "job \(name)'s push-token must be a SHA-256 in hexadecimal"
            ),
        ])
    }

    private func inspect(_ channel: InventoryEntry) -> [String] {
        let (name, type) = (channel.text("name"), channel.text("type"))
        let types = Inventory.Channel.needed.keys.sorted()
        let parts = Inventory.Channel.parts
        return broken([
            (!InventoryForms.isName(name), "the name of a channel is \"\(name)\"; \(nameRule)"),
            (
                !types.contains(type),
                "channel \(name)'s type is \(type); it must be \(types.dropLast().joined(separator: ", ")) or \(types.last ?? "")"
            ),
        ])
            + channel.texts("secrets").filter { !parts.contains($0) }.map {
                "channel \(name)'s secrets has \($0); each must be one of \(parts.joined(separator: ", "))"
            }
            + channel.keys.filter { $0.hasSuffix("-file") }.map {
                "channel \(name) must not have \($0): `clavitor-soc secrets` stores its secret"
            }
    }
}
