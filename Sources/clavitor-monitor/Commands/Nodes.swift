import ArgumentParser
import Monitor
import Wire

/// Manages the nodes that may push. A running monitor applies changes within seconds.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Add, list and remove nodes.",
        subcommands: [Add.self, List.self, Every.self, Rename.self, Renew.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a node and print its push URL, once.",
            discussion: "The URL is a credential: put it into a file that only the node can read.")

        @OptionGroup var options: DataOptions
        @OptionGroup var address: AddressOptions
        @Argument(help: "Name that the node sends in its heartbeats. With several names, one URL each, in this order.")
        var names: [String]
        @Option(help: "Region; nodes of one region are notified together.") var region: String?
        @Option(help: "Seconds between its heartbeats; default is the fleet's interval. Uptime Kuma's default is 60.")
        var every: Int64?

        func validate() throws {
            guard names.allSatisfy(\.isNodeName) else { throw NodeCommand.badName }
            if let every { try NodeCommand.check(interval: every) }
        }

        func run() async throws {
            let store = try options.storeCreatedIfNeeded()
            for name in names {
                let token = PushToken()
                let node = MonitoredNode(name, region: region, every: every.map { $0 * 1_000 })
                try await store.addNode(node, tokenHash: token.hash, now: wallTime())
                print(address.pushURL(token))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the nodes.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            for node in try await options.store().nodeNames() {
                let every = node.every.map { "every \($0 / 1_000) s" }
                print([node.name, node.region, every].compactMap(\.self).joined(separator: "  "))
            }
        }
    }

    struct Every: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Set a node's heartbeat interval: two missed heartbeats are a SEV2, five (at least 5 minutes) a SEV1."
        )

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Argument(help: "Seconds; 0 for the fleet's interval.") var seconds: Int64

        func validate() throws {
            if seconds != 0 { try NodeCommand.check(interval: seconds) }
        }

        func run() async throws {
            try await options.store().setInterval(of: name, to: seconds == 0 ? nil : seconds * 1_000)
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rename a node; its history and its push URL stay.",
            discussion: "The node must use the new name too (`--node-name`): until then its heartbeats are rejected.")

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Argument var next: String

        func validate() throws {
            guard next.isNodeName else { throw NodeCommand.badName }
        }

        func run() async throws {
            try await options.store().renameNode(name, to: next)
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a node's push URL; the old one stops working at once.")

        @OptionGroup var options: DataOptions
        @OptionGroup var address: AddressOptions
        @Argument var name: String

        func run() async throws {
            let token = PushToken()
            try await options.store().renewToken(of: name, tokenHash: token.hash)
            print(address.pushURL(token))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a node; its open incidents are resolved.")

        @OptionGroup var options: DataOptions
        @Argument var name: String

        func run() async throws {
            try await options.store().removeNode(name)
        }
    }
}

extension NodeCommand {
    static let badName = ValidationError("A name must have 1 to 64 letters, digits, dots and hyphens.")

    static func check(interval seconds: Int64) throws {
        guard (5...86_400).contains(seconds) else {
            throw ValidationError("An interval must be from 5 to 86400 seconds.")
        }
    }
}

extension String {
    var isNodeName: Bool { (1...64).contains(utf8.count) && utf8.allSatisfy(\.isNameByte) }
}

/// The monitor's address.
struct AddressOptions: ParsableArguments {
    @Option(help: "The monitor's URL; default is that of `serve --dev` on this machine.")
    var url = "https://localhost:8444"

    func pushURL(_ token: PushToken) -> String {
        "\(url.hasSuffix("/") ? String(url.dropLast()) : url)/api/push/\(token.text)"
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
