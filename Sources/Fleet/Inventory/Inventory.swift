import TOMLKit

/// The inventory, nix/fleet.toml. Nix builds the machines from the same file.
package struct Inventory: Equatable, Sendable {
    package var fleet: Network
    package var nodes: [Node]
    package var operators: [Operator]
    package var providers: [String: Provider]
    package var tiers: [String: Tier]
    package var breakGlass: BreakGlass
    package var backup: Backup?
    package var notifying: Notifying?
    package var channels: [Channel]
    package var jobs: [Job]
    /// Nil if DNS records are not maintained.
    package var dns: DNS?

    /// The WireGuard network, for management only.
    package struct Network: Decodable, Equatable, Sendable {
        /// In CIDR notation.
        package var network: String
        /// The hub's UDP port.
        package var port: Int
        /// A name that resolves to the hub's WireGuard address on the nodes.
        package var monitor: String
    }

    package struct Operator: Decodable, Equatable, Sendable {
        package var name: String
        package var address: String
        package var publicKey: String
        package var sshKey: String
        /// SHA-256, in hexadecimal, of the operator's monitor token; nil for none.
        package var monitorToken: String?

        private enum CodingKeys: String, CodingKey {
            case name, address
            case publicKey = "public-key"
            case sshKey = "ssh-key"
            case monitorToken = "monitor-token"
        }

        package init(
            name: String, address: String, publicKey: String, sshKey: String, monitorToken: String? = nil
        ) {
            (self.name, self.address, self.publicKey) = (name, address, publicKey)
            (self.sshKey, self.monitorToken) = (sshKey, monitorToken)
        }
    }

    /// The disks of a provider's Debian image.
    package struct Provider: Decodable, Equatable, Sendable {
        package var disk: String
        package var root: String
        /// The device of the EFI system partition; nil if its machines boot with BIOS.
        package var esp: String?
    }

    package struct Tier: Decodable, Equatable, Sendable {
        /// Dollars per month.
        package var usd: Double
        package var memoryMB: Int?
        package var diskGB: Int?
        package var transferGB: Int?

        private enum CodingKeys: String, CodingKey {
            case usd
            case memoryMB = "memory-mb"
            case diskGB = "disk-gb"
            case transferGB = "transfer-gb"
        }

        package init(from decoder: any Decoder) throws {
            let tier = try decoder.container(keyedBy: CodingKeys.self)
            usd = try tier.decodeNumber(forKey: .usd)
            memoryMB = try tier.decodeIfPresent(Int.self, forKey: .memoryMB)
            diskGB = try tier.decodeIfPresent(Int.self, forKey: .diskGB)
            transferGB = try tier.decodeIfPresent(Int.self, forKey: .transferGB)
        }
    }

    private struct File: Decodable {
        var fleet: Network
        var node: [Node]
        var `operator`: [Operator]?
        var provider: [String: Provider]
        var tier: [String: Tier]
        var breakGlass: BreakGlass
        var backup: Backup?
        var notify: Notifying?
        var channel: [Channel]?
        var job: [Job]?
        var dns: DNS?

        enum CodingKeys: String, CodingKey {
            case fleet, node, `operator`, provider, tier, backup, notify, channel, job, dns
            case breakGlass = "break-glass"
        }
    }

    /// - Throws: `InventoryError`.
    package init(toml text: String) throws {
        let file: File
        do {
            file = try TOMLDecoder().decode(File.self, from: try TOMLTable(string: text))
        } catch let error as TOMLParseError {
            throw InventoryError.unreadable(error.description)
        } catch {
            // The decoder's messages are for programmers.
            let problems = try InventoryProblems.found(in: text)
            throw problems.isEmpty ? InventoryError.unreadable("\(error)") : .faulty(problems)
        }
        (fleet, nodes, operators) = (file.fleet, file.node, file.operator ?? [])
        (providers, tiers, breakGlass, dns) = (file.provider, file.tier, file.breakGlass, file.dns)
        (backup, notifying, channels, jobs) = (file.backup, file.notify, file.channel ?? [], file.job ?? [])
    }

    package var hub: Node? { nodes.first { $0.role == .hub } }
    package var spokes: [Node] { nodes.filter { $0.role == .spoke } }

    /// - Throws: `InventoryError.noSuchNode`.
    package func node(_ name: String) throws -> Node {
        guard let node = nodes.first(where: { $0.name == name }) else {
            throw InventoryError.noSuchNode(name, nodes.map(\.name))
        }
        return node
    }
}

package enum InventoryError: Error, Equatable, CustomStringConvertible, Sendable {
    case notThere(String)
    case unreadable(String)
    case noSuchNode(String, [String])
    case faulty([String])
    case alreadyThere(String)
    case noSuchKey(String)
    case notWritten(String)

    package var description: String {
        switch self {
        case .notThere(let path):
            "There is no inventory at \(path). Run this in the project's folder, or name it: --inventory FILE"
        case .unreadable(let why): "The inventory cannot be read: \(why)"
        case .noSuchNode(let name, let names): "There is no node \(name). There are: \(names.joined(separator: ", "))."
        case .faulty(let problems):
            "The inventory has faults; mend them first:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
        case .alreadyThere(let name): "There is a node \(name) already."
        case .noSuchKey(let key):
            "A node has no key \(key). It has: \(Node.CodingKeys.allCases.map(\.rawValue).joined(separator: ", "))."
        case .notWritten(let name):
            "The entry of \(name) is written in a way that cannot be edited as text; edit the file by hand."
        }
    }
}
