import ArgumentParser
import Files
import Fleet
import FoundationEssentials
import TOMLKit

/// Options for the operator's state and inventory.
struct OperatorOptions: ParsableArguments {
    @Option(help: "State directory. (default: $XDG_STATE_HOME/clavitor-soc or ~/.local/state/clavitor-soc)")
    var state: String?

    @Option(help: "Inventory file.")
    var inventory = "nix/fleet.toml"

    @Option(help: "Connection to spokes: tunnel, or break-glass (direct, with --break-glass-key).")
    var through = Route.tunnel

    @Option(help: "Private break-glass key. (default: break-glass-key in soc.toml)")
    var breakGlassKey: String?

    enum Route: String, ExpressibleByArgument, CaseIterable {
        case tunnel
        case breakGlass = "break-glass"
    }

    var file: InventoryFile { InventoryFile(inventory) }

    /// The absolute path of the state directory; created if missing.
    func stateDirectory(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        let base = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"].map { "\($0)/.local/state" }
        guard let path = state ?? (base ?? home).map({ "\($0)/clavitor-soc" }) else {
            throw CommandFailure("Neither HOME nor XDG_STATE_HOME is set; use --state DIR.", code: 2)
        }
        let absolute = path.absolutePath
        try File.makeDirectories(absolute)
        guard let mode = FileStatus.mode(absolute), mode & 0o077 == 0 else {
            throw CommandFailure("Other users can read \(absolute): chmod 700 \(absolute)", code: 2)
        }
        return absolute
    }
}

/// `soc.toml` in the state directory. All keys are optional.
struct Settings: Decodable, Equatable {
    /// The operator's private SSH key; nil to use ssh-agent.
    var sshKey: String?
    /// A file with a token of `clavitor-monitor token`.
    var monitorTokenFile: String?
    /// The CA of the monitor's certificate, in PEM.
    var monitorCAFile: String?
    /// The CA of the nodes' certificates if they are not public, in PEM.
    var caFile: String?
    /// The age recipients of secrets.
    var ageRecipients: [String]?
    /// A file with the private age key.
    var ageIdentity: String?
    /// A file with the private break-glass key, if it is on this machine.
    var breakGlassKey: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case sshKey = "ssh-key"
        case monitorTokenFile = "monitor-token-file"
        case monitorCAFile = "monitor-ca-file"
        case caFile = "ca-file"
        case ageRecipients = "age-recipients"
        case ageIdentity = "age-identity"
        case breakGlassKey = "break-glass-key"
    }

    init() {}

    /// Reads the file if there is one.
    init(path: String) throws {
        guard File.exists(path) else { return }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: try File.read(path, most: 1 << 20))
        } catch let error as TOMLParseError {
            throw CommandFailure("\(path): \(error.description)", code: 2)
        }
        let unknown = Set(table.keys).subtracting(CodingKeys.allCases.map(\.rawValue)).sorted()
        guard unknown.isEmpty else {
            throw CommandFailure("\(path): unknown keys: \(unknown.joined(separator: ", "))", code: 2)
        }
        do {
            self = try TOMLDecoder().decode(Settings.self, from: table)
        } catch {
            throw CommandFailure("\(path): \(error)", code: 2)
        }
    }
}

extension File {
    /// Reads a file that an option or a setting names. The error contains that name.
    static func read(_ path: String, most: Int, for setting: String) throws -> String {
        do {
            return try read(path, most: most)
        } catch let error as SystemCallError {
            throw CommandFailure("\(setting): \(error)", code: 2)
        }
    }
}
