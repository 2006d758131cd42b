import ArgumentParser
import Monitor
import Wire

/// Who may push. A running monitor takes a change in within seconds.
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
        @Argument(help: "The name that the node gives itself in its heartbeats. Several: a URL each, in their order.")
        var names: [String]
        @Option(help: "Nodes of one region are told of together.") var region: String?
        @Option(help: "Seconds between its beats; without it, those of the fleet. Uptime Kuma's own default is 60.")
        var every: Int64?

        func validate() throws {
            guard names.allSatisfy(\.isNodeName) else { throw NodeCommand.badName }
            if let every { try NodeCommand.check(interval: every) }
        }

        func run() async throws {
            let store = try options.storeMadeIfNeeded()
            for name in names {
                let token = PushToken()
                let node = NodeName(name, region: region, every: every.map { $0 * 1_000 })
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
            abstract: "Say how often a node beats: two beats missed are a SEV2, five a SEV1 and no less than 5 minutes."
        )

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Argument(help: "Seconds; 0 for the fleet's usual.") var seconds: Int64

        func validate() throws {
            if seconds != 0 { try NodeCommand.check(interval: seconds) }
        }

        func run() async throws {
            try await options.store().setInterval(of: name, to: seconds == 0 ? nil : seconds * 1_000)
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a node another name; its history and its push URL stay.",
            discussion: "The node must call itself so too, by `--node-name`: until it does, its beats are refused.")

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
            abstract: "Give a node another push URL; the old one ends at once.")

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
        static let configuration = CommandConfiguration(abstract: "Remove a node; its open incidents end.")

        @OptionGroup var options: DataOptions
        @Argument var name: String

        func run() async throws {
            try await options.store().removeNode(name)
        }
    }
}

extension NodeCommand {
    static let badName = ValidationError("A name has 1 to 64 letters, digits, dots and hyphens.")

    static func check(interval seconds: Int64) throws {
        guard (5...86_400).contains(seconds) else {
            throw ValidationError("An interval is 5 seconds to a day (86400).")
        }
    }
}

extension String {
    var isNodeName: Bool { (1...64).contains(utf8.count) && utf8.allSatisfy(\.isNameByte) }
}

/// Where the nodes find the monitor.
struct AddressOptions: ParsableArguments {
    @Option(help: "The monitor's URL; without it, that of a `serve --dev` on this machine.")
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
