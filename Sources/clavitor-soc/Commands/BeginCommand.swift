import ArgumentParser
import Console
import Files
import Fleet
import FoundationEssentials

/// Day 0.
struct BeginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "begin",
        abstract: "Make an operator's keys, and a fleet's inventory, keys and secrets for its hub.",
        discussion: """
            From an empty directory to a hub that can be provisioned. What is there is kept, so that it may be run again: after \
            a change of the hub's address, for the tunnel's new configuration; on another machine, for another operator.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var hub: HubOptions
    @Option(name: .customLong("operator"), help: "Your name in the inventory. (default: that of your account)")
    var name: String?
    @Option(help: "Your SSH key, the private half. (default: one that is made in the state directory)") var sshKey:
        String?
    @Option(help: "The folder with the static binaries.") var dist = "dist"

    func run() async throws {
        let state = try options.stateDirectory()
        let places = Beginning.Places(state: state)
        let processes = SystemProcesses()
        let beginning = Beginning(places, processes)
        try hub.prepare(options.file)
        let (recipient, isMade) = try await beginning.ageKey()
        try writeSettings(places, recipient)
        let sshPublicKey = try await beginning.sshKey(try Settings(path: places.settings).sshKey ?? places.sshKey)
        let token = try beginning.monitorToken()

        // Its own settings are there now.
        let context = try OperatorContext(options)
        if (context.inventory.backup?.recipients ?? []).isEmpty, context.inventory.backup?.enabled != false {
            try context.file.edit { try $0.settingRecipients([recipient]) }
        }
        let entry = try await enter(sshPublicKey, token, context)
        try await prepareHub(context)
        let (key, hub) = (try await context.keys().operatorKey(entry.name), try context.file.read().hub)
        guard let hub else { return }
        try File.replace(
            places.tunnel, with: WireGuardText.text(entry, key, hub: hub, port: context.inventory.fleet.port),
            mode: 0o600)
        if let pem = try await context.secrets().monitorCA() {
            try File.replace(places.monitorCA, with: pem, mode: 0o644)
        }
        try say(places, hub, isMade: isMade, context)
    }

    /// Keys of soc.toml that are not there yet.
    private func writeSettings(_ places: Beginning.Places, _ recipient: String) throws {
        let present = try Settings(path: places.settings)
        var lines: [String] = []
        func add(_ key: String, _ value: String, unless isThere: Bool) {
            if !isThere { lines.append("\(key) = \(value)\n") }
        }
        add("ssh-key", "\"\(sshKey?.absolutePath ?? places.sshKey)\"", unless: present.sshKey != nil)
        add("age-recipients", "[\"\(recipient)\"]", unless: present.ageRecipients != nil)
        add("age-identity", "\"\(places.ageKey)\"", unless: present.ageIdentity != nil)
        add("monitor-token-file", "\"\(places.monitorToken)\"", unless: present.monitorTokenFile != nil)
        add("monitor-ca-file", "\"\(places.monitorCA)\"", unless: present.monitorCAFile != nil)
        guard !lines.isEmpty else { return }
        try File.edit(places.settings, most: 1 << 20, absent: "") { $0 + lines.joined() }
    }

    /// Enters the operator into the inventory, at the next free address.
    private func enter(_ sshKey: String, _ token: String, _ context: OperatorContext) async throws -> Inventory.Operator
    {
        let name = name ?? OperatorContext.author.name
        let present = context.inventory.operators.first { $0.name == name }
        guard let address = present?.address ?? context.inventory.freeOperatorAddress else {
            throw CommandFailure("No address of an operator is free.", code: 2)
        }
        let key = try await context.keys().operatorKey(name)
        var entry = Inventory.Operator(
            name: name, address: address, publicKey: key.publicText, sshKey: sshKey, monitorToken: token)
        // Whoever is entered with another token has it somewhere else.
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

    private func say(_ places: Beginning.Places, _ hub: Node, isMade: Bool, _ context: OperatorContext) throws {
        Terminal.line(
            """
            inventory   \(context.file.path)
            settings    \(places.settings)
            age key     \(places.ageKey)
            tunnel      \(places.tunnel), once \(hub.name) runs: wg-quick up \(places.tunnel)
            """)
        if isMade {
            Terminal.note("Copy the age key to a safe place now: without it neither secrets nor backups can be opened.")
        }
        for sentence in try context.file.read().missing(for: hub) { Terminal.line("missing: \(sentence)".printable) }
        for secret in hub.neededSecrets(try context.file.read()) where try !context.secrets().holds(secret, of: hub) {
            Terminal.line("missing: clavitor-soc secrets set \(hub.name) \(secret.name)")
        }
    }
}

/// The hub of a fleet that has no inventory yet.
struct HubOptions: ParsableArguments {
    @Option(help: "The hub's name: small letters, digits and hyphens.") var hub: String?
    @Option(help: "Where it stands.") var city: String?
    @Option(help: "Nodes of a region do not go down together.") var region: String?
    @Option(parsing: .unconditional, help: "Degrees north.") var latitude: Double?
    @Option(parsing: .unconditional, help: "Degrees east.") var longitude: Double?
    @Option(help: "Its DNS name.") var domain: String?
    @Option(help: "The monitor's name, which the nodes resolve to the hub.") var monitor: String?
    @Option(help: "The hub's public address.") var ipv4: String?
    @Option(help: "Who rents it out.") var provider = "other"
    @Option(help: "A name for its size.") var tier = "mini"
    @Option(help: "Its disk.") var disk = "/dev/vda"
    @Option(help: "The device of its /.") var root = "/dev/vda1"
    @Option(help: "The device of its EFI system partition, where it boots by UEFI.") var esp: String?

    /// Writes the inventory where there is none, and the hub's address where one is given.
    func prepare(_ file: InventoryFile) throws {
        if !File.exists(file.path) {
            guard let hub, let city, let region, let latitude, let longitude, let domain, let monitor, let ipv4 else {
                throw CommandFailure(
                    """
                    There is no inventory at \(file.path). To begin one, describe its hub: --hub --city --region --latitude \
                    --longitude --domain --monitor --ipv4
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
