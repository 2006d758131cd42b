import ArgumentParser
import Console
import Files
import Fleet

/// Backups that machines made, brought away from them.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Bring the newest backups of nodes, and of the monitor, to this machine.",
        subcommands: [Fetch.self])

    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch what is newer than what is here. Exits with 1 when a node has none.",
            discussion:
                "From a timer, daily, on a machine that is no node. `provision --restore` and `restore` take the files."
        )

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The nodes; all when none is named.") var nodes: [String] = []
        @Option(help: "The folder for them. (default: backups in the state directory)") var to: String?

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
