import Files
import Fleet
import FoundationEssentials

/// The dependencies of commands: the inventory, the operator's settings, and the connections to nodes and monitor.
struct OperatorContext {
    let file: InventoryFile
    let inventory: Inventory
    let settings: Settings
    let state: String
    let processes: any ChildProcesses
    let paths: NodePaths
    /// The break-glass key, if spokes are reached with it.
    private let breakGlass: String?

    /// Reads settings and inventory; rejects an invalid inventory.
    init(
        _ options: OperatorOptions, processes: any ChildProcesses = SystemProcesses(), paths: NodePaths = NodePaths()
    ) throws {
        file = options.file
        inventory = try file.readValid()
        state = try options.stateDirectory()
        settings = try Settings(path: "\(state)/soc.toml")
        (self.processes, self.paths) = (processes, paths)
        let key = options.breakGlassKey ?? settings.breakGlassKey
        switch options.through {
        case .tunnel: breakGlass = nil
        case .breakGlass:
            guard let key else {
                throw CommandFailure("--through break-glass requires the private key: --break-glass-key FILE", code: 2)
            }
            breakGlass = key.absolutePath
        }
    }

    /// SSH to the nodes, with its files written. Fails for some state directories, such as too long ones.
    var ssh: SSH {
        get throws {
            let sshPaths = SSHFiles.Paths(
                directory: "\(state)/ssh", identity: settings.sshKey, breakGlass: breakGlass)
            let ssh = SSH(inventory, sshPaths, processes)
            try ssh.prepare()
            return ssh
        }
    }

    /// SSH to one node: with break-glass also directly to the hub.
    func ssh(to node: Node) throws -> SSH {
        guard let breakGlass, node.role == .hub else { return try ssh }
        return try emergency(key: breakGlass)
    }

    /// SSH directly to the nodes' emergency sshd.
    func emergency(key: String) throws -> SSH {
        let sshPaths = SSHFiles.Paths(directory: "\(state)/bg", identity: nil, breakGlass: key, isHubDirect: true)
        let ssh = SSH(inventory, sshPaths, processes)
        try ssh.prepare()
        return ssh
    }

    /// The named nodes, or all.
    func nodes(_ names: [String]) throws -> [Node] {
        names.isEmpty ? inventory.nodes : try names.map(inventory.node)
    }

    /// Runs `body` with HTTPS to the nodes and the monitor.
    func connected<Result>(
        withoutMonitor: Bool = false, _ body: (HTTPSProbe, (any FleetMonitor)?) async throws -> Result
    ) async throws -> Result {
        var addresses: [String: String] = [:]
        for node in inventory.nodes where !node.ipv4.isEmpty { addresses[node.domain] = node.ipv4 }
        var others: [String: String] = [:]
        for node in inventory.nodes { others[node.domain] = node.publicIPv6 }
        return try await HTTPSExchange.connected(addresses: addresses, caFile: settings.caFile) { nodes in
            try await HTTPSExchange.connected(addresses: monitorAddress, caFile: settings.monitorCAFile) { monitoring in
                try await HTTPSExchange.connected(addresses: others, caFile: settings.caFile) { ipv6 in
                    let probe = HTTPSProbe(exchange: nodes, ipv6: others.isEmpty ? nil : ipv6)
                    return try await body(probe, withoutMonitor ? nil : try monitor(monitoring))
                }
            }
        }
    }

    /// Reports the result of a job to the monitor.
    ///
    /// - Throws: `MonitorError`.
    func report(_ url: PushURL, failure: String?) async throws {
        try await HTTPSExchange.connected(addresses: monitorAddress, caFile: settings.monitorCAFile) {
            try await JobReporter(url: url, exchange: $0).report(failure: failure)
        }
    }

    /// The monitor's address in the tunnel by its name, without DNS.
    private var monitorAddress: [String: String] {
        inventory.hub.map { [inventory.fleet.monitor: $0.address] } ?? [:]
    }

    private func monitor(_ exchange: HTTPSExchange) throws -> (any FleetMonitor)? {
        guard let file = settings.monitorTokenFile else { return nil }
        let text = try File.read(file, most: 4_096, for: "monitor-token-file in soc.toml")
        guard let mode = FileStatus.mode(file), mode & 0o077 == 0 else {
            throw CommandFailure("Other users can read \(file), which contains a token: chmod 600 \(file)", code: 2)
        }
        return MonitorClient(
            name: inventory.fleet.monitor, token: String(text.prefix { !$0.isWhitespace }), exchange: exchange)
    }

    func secretMaker(dist: String) throws -> SecretMaker {
        SecretMaker(try secrets(), file, dist: dist, processes: processes, now: Self.now())
    }

    /// Makes a node's first key, or reuses a stored one, and writes it into the inventory.
    ///
    /// - Throws: `KeyStoreError`.
    func makeFirstKey(of node: Node) async throws -> String {
        let publicKey = try await keys().generate(node)
        try file.edit { try $0.setting("public-key", of: node.name, to: publicKey) }
        return publicKey
    }

    func deployer(_ probe: any NodeProbe, _ monitor: (any FleetMonitor)?) throws -> Deployer<ContinuousClock> {
        Deployer(
            inventory, DeployCommands(try ssh, paths), processes, monitor: monitor, probe: probe, author: Self.author,
            clock: ContinuousClock(), now: Self.now)
    }

    /// The user of this program and their machine.
    static var author: DeployAuthor {
        let environment = ProcessInfo.processInfo.environment
        return DeployAuthor(
            name: environment["USER"] ?? environment["LOGNAME"] ?? "somebody", host: ProcessInfo.processInfo.hostName)
    }

    /// Unix seconds.
    @Sendable static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }
}
