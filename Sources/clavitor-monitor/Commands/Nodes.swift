import ArgumentParser
import Monitor

/// Who may push. A running monitor takes a change in within seconds.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Add, list and remove nodes.",
        subcommands: [Add.self, List.self, Renew.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a node and print its push URL, once.",
            discussion: "The URL is a credential: put it into a file that only the node can read.")

        @OptionGroup var options: DataOptions
        @OptionGroup var address: AddressOptions
        @Argument(help: "The name that the node gives itself in its heartbeats. Several: a URL each, in their order.")
        var names: [String]
        @Option(help: "Nodes of one region are told of together.") var region: String?

        func validate() throws {
            guard names.allSatisfy({ (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy(\.isNameByte) }) else {
                throw ValidationError("A name has 1 to 64 letters, digits, dots and hyphens.")
            }
        }

        func run() async throws {
            let store = try options.storeMadeIfNeeded()
            for name in names {
                let token = PushToken()
                try await store.addNode(NodeName(name, region: region), tokenHash: token.hash, now: wallTime())
                print(address.pushURL(token))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the nodes.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            for node in try await options.store().nodeNames() {
                print(node.region.map { "\(node.name)  \($0)" } ?? node.name)
            }
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
