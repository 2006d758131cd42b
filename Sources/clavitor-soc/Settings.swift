import ArgumentParser
import Files
import Fleet
import FoundationEssentials
import TOMLKit

/// Where an operator's machine keeps its side of the fleet.
struct OperatorOptions: ParsableArguments {
    @Option(help: "The state directory. (default: $XDG_STATE_HOME/clavitor-soc or ~/.local/state/clavitor-soc)")
    var state: String?

    @Option(help: "The inventory.")
    var inventory = "nix/fleet.toml"

    @Option(help: "How spokes are reached: tunnel, or break-glass, directly and with --break-glass-key.")
    var through = Route.tunnel

    @Option(help: "The private half of the break-glass key. (default: break-glass-key in soc.toml)")
    var breakGlassKey: String?

    enum Route: String, ExpressibleByArgument, CaseIterable {
        case tunnel
        case breakGlass = "break-glass"
    }

    var file: InventoryFile { InventoryFile(inventory) }

    /// Absolute, and made if it is not there.
    func stateDirectory(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        let base = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"].map { "\($0)/.local/state" }
        guard let path = state ?? (base ?? home).map({ "\($0)/clavitor-soc" }) else {
            throw CommandFailure("There is neither HOME nor XDG_STATE_HOME; give --state DIR.", code: 2)
        }
        let absolute = path.absolutePath
        try File.makeDirectories(absolute)
        guard let mode = FileStatus.mode(absolute), mode & 0o077 == 0 else {
            throw CommandFailure("\(absolute) can be read by others: chmod 700 \(absolute)", code: 2)
        }
        return absolute
    }
}

/// `soc.toml` in the state directory. All of it is optional.
struct Settings: Decodable, Equatable {
    /// The operator's key; what ssh-agent offers when there is none.
    var sshKey: String?
    /// With a token of `clavitor-monitor token`.
    var monitorTokenFile: String?
    /// The monitor's certificate is a private one: whom to trust for it, in PEM.
    var monitorCAFile: String?
    /// The same for the nodes, where their certificates are not public.
    var caFile: String?
    /// Who can read the secrets: age's public keys.
    var ageRecipients: [String]?
    /// A file with age's private key.
    var ageIdentity: String?
    /// A file with the private half of the break-glass key, where it does not lie in a safe.
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
    /// A file that an option or a setting names, which the error then names too.
    static func read(_ path: String, most: Int, for setting: String) throws -> String {
        do {
            return try read(path, most: most)
        } catch let error as SystemCallError {
            throw CommandFailure("\(setting): \(error)", code: 2)
        }
    }
}
