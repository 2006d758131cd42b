import ArgumentParser
import Console
import Files
import Fleet
import FoundationEssentials

/// Sets up an operator and a fleet.
struct BeginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "begin",
        abstract: "Create an operator's keys, the inventory, and the keys and secrets of the hub.",
        discussion: """
            Prepares everything to provision the hub. Existing files are kept, so it can be run again: after a change of the \
            hub's address, for the tunnel's new configuration; on another machine, for another operator.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var hub: HubOptions
    @Option(name: .customLong("operator"), help: "Your name in the inventory. (default: your user name)")
    var name: String?
    @Option(help: "Your private SSH key. (default: a new one in the state directory)") var sshKey: String?
    @Option(help: "Directory with the static binaries.") var dist = "dist"

    func run() async throws {
        let state = try options.stateDirectory()
        let paths = FleetSetup.Paths(state: state)
        let processes = SystemProcesses()
        let setup = FleetSetup(paths, processes)
        try hub.prepare(options.file)
        let (recipient, isNew) = try await setup.ageKey()
        try writeSettings(paths, recipient)
        let sshPublicKey = try await setup.sshKey(try Settings(path: paths.settings).sshKey ?? paths.sshKey)
        let token = try setup.monitorToken()

        // The settings are written now.
        let context = try OperatorContext(options)
        if (context.inventory.backup?.recipients ?? []).isEmpty, context.inventory.backup?.enabled != false {
            try context.file.edit { try $0.settingRecipients([recipient]) }
        }
        let entry = try await enter(sshPublicKey, token, context)
        try await prepareHub(context)
        let (key, hub) = (try await context.keys().operatorKey(entry.name), try context.file.read().hub)
        guard let hub else { return }
        try File.replace(
            paths.tunnel, with: WireGuardText.text(entry, key, hub: hub, port: context.inventory.fleet.port),
            mode: 0o600)
        if let pem = try await context.secrets().monitorCA() {
            try File.replace(paths.monitorCA, with: pem, mode: 0o644)
        }
        try printSummary(paths, hub, isNew: isNew, context)
    }

    /// Adds missing keys to soc.toml.
    private func writeSettings(_ paths: FleetSetup.Paths, _ recipient: String) throws {
        let present = try Settings(path: paths.settings)
        var lines: [String] = []
        func add(_ key: String, _ value: String, unless isSet: Bool) {
            if !isSet { lines.append("\(key) = \(value)\n") }
        }
        add("ssh-key", "\"\(sshKey?.absolutePath ?? paths.sshKey)\"", unless: present.sshKey != nil)
        add("age-recipients", "[\"\(recipient)\"]", unless: present.ageRecipients != nil)
        add("age-identity", "\"\(paths.ageKey)\"", unless: present.ageIdentity != nil)
        add("monitor-token-file", "\"\(paths.monitorToken)\"", unless: present.monitorTokenFile != nil)
        add("monitor-ca-file", "\"\(paths.monitorCA)\"", unless: present.monitorCAFile != nil)
        guard !lines.isEmpty else { return }
        try File.edit(paths.settings, most: 1 << 20, absent: "") { $0 + lines.joined() }
    }

    /// Adds the operator to the inventory, at the next free address.
    private func enter(_ sshKey: String, _ token: String, _ context: OperatorContext) async throws -> Inventory.Operator
    {
        let name = name ?? OperatorContext.author.name
        let present = context.inventory.operators.first { $0.name == name }
        guard let address = present?.address ?? context.inventory.freeOperatorAddress else {
            throw CommandFailure("All operator addresses are in use.", code: 2)
        }
        let key = try await context.keys().operatorKey(name)
        var entry = Inventory.Operator(
            name: name, address: address, publicKey: key.publicText, sshKey: sshKey, monitorToken: token)
        // An existing token stays: the operator has it on another machine.
        if let present, present.monitorToken != nil { entry.monitorToken = present.monitorToken }
        try context.file.edit { try $0.entering(entry) }
        return entry
    }

    /// The hub's key and secrets, unless they were made elsewhere.
    private func prepareHub(_ context: OperatorContext) async throws {
        guard let hub = try context.file.read().hub else {
            throw CommandFailure("The inventory has no hub.", code: 2)
        }
        if hub.publicKey.isEmpty { _ = try await context.makeFirstKey(of: hub) }
        guard try await context.keys().publicKeys(hub).present != nil else { return }
        let maker = try context.secretMaker(dist: dist)
        _ = try await maker.make(for: try context.file.read().node(hub.name))
    }

    private func printSummary(_ paths: FleetSetup.Paths, _ hub: Node, isNew: Bool, _ context: OperatorContext) throws {
        Terminal.line(
            """
            inventory   \(context.file.path)
            settings    \(paths.settings)
            age key     \(paths.ageKey)
            tunnel      \(paths.tunnel), once \(hub.name) runs: wg-quick up \(paths.tunnel)
            """)
        if isNew {
            Terminal.note(
                "Copy the age key to a safe place now: without it neither secrets nor backups can be decrypted.")
        }
        for sentence in try context.file.read().missing(for: hub) { Terminal.line("missing: \(sentence)".printable) }
        for secret in hub.requiredSecrets(try context.file.read())
        where try !context.secrets().contains(secret, of: hub) {
            Terminal.line("missing: clavitor-soc secrets set \(hub.name) \(secret.name)")
        }
    }
}

/// The hub of a fleet that has no inventory yet.
struct HubOptions: ParsableArguments {
    @Option(help: "Hub name: lower-case letters, digits and hyphens.") var hub: String?
    @Option(help: "City of the hub.") var city: String?
    @Option(help: "Region. A deploy never restarts two nodes of a region at once.") var region: String?
    @Option(parsing: .unconditional, help: "Degrees north.") var latitude: Double?
    @Option(parsing: .unconditional, help: "Degrees east.") var longitude: Double?
    @Option(help: "DNS name of the hub.") var domain: String?
    @Option(help: "DNS name of the monitor, which the nodes resolve to the hub.") var monitor: String?
    @Option(help: "Public address of the hub.") var ipv4: String?
    @Option(help: "Hosting provider.") var provider = "other"
    @Option(help: "Name of the machine size.") var tier = "mini"
    @Option(help: "Disk of the hub.") var disk = "/dev/vda"
    @Option(help: "Device of its root file system.") var root = "/dev/vda1"
    @Option(help: "Device of its EFI system partition, if it boots by UEFI.") var esp: String?

    /// Creates a missing inventory, and updates the hub's address.
    func prepare(_ file: InventoryFile) throws {
        if !File.exists(file.path) {
            guard let hub, let city, let region, let latitude, let longitude, let domain, let monitor, let ipv4 else {
                throw CommandFailure(
                    """
                    \(file.path) does not exist. To create it, describe the hub: --hub --city --region --latitude --longitude \
                    --domain --monitor --ipv4
                    """, code: 2)
            }
            let node = Node(
                name: hub, city: city, region: region, latitude: latitude, longitude: longitude, domain: domain,
                provider: provider, tier: tier, role: .hub, address: "", ipv4: ipv4)
            let text = try InventoryTemplate.text(
                hub: node, monitor: monitor, disk: NodeDisk(disk: disk, root: root, esp: esp))
            try file.create(text)
        } else if let ipv4, let hub = try file.read().hub, hub.ipv4 != ipv4 {
            try file.edit { try $0.setting("ipv4", of: hub.name, to: ipv4) }
        }
    }
}
