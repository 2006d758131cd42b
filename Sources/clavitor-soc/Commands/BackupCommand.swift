import ArgumentParser
import Console
import Files
import Fleet

/// Fetches backups from the machines.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Fetch the newest backups of nodes, and of the monitor, to this machine.",
        subcommands: [Fetch.self])

    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch newer backups. Exits with 1 if a node has none.",
            discussion:
                "Run it daily on a machine outside the fleet. `provision --restore` and `restore` use the files."
        )

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Nodes. (default: all)") var nodes: [String] = []
        @Option(help: "Target directory. (default: backups in the state directory)") var to: String?

        func run() async throws {
            let context = try OperatorContext(options)
            let folder = to ?? "\(context.state)/backups"
            try File.makeDirectory(folder)
            let ssh = try context.ssh
            let target = context.inventory.backup?.target ?? Inventory.Backup.usualTarget
            var failures = 0
            for node in try context.nodes(nodes) {
                var sources = [(node.name, target)]
                if node.role == .hub { sources.append(("monitor", "\(target)-monitor")) }
                for (name, source) in sources {
                    do {
                        let (path, isNew) = try await BackupFetch(ssh, node, from: source, to: "\(folder)/\(name)")
                            .run()
                        Terminal.line("\(name)  \(path)\(isNew ? "" : "  (there already)")".printable)
                    } catch {
                        failures += 1
                        Terminal.note("\(name): \(error)".printable)
                    }
                }
            }
            if failures > 0 { throw ExitCode(1) }
        }
    }
}
