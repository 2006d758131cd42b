import ArgumentParser
import Console
import Wire

struct Passkey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, rename and remove passkeys.",
        discussion: "A passkey is added in a browser. It stands for password and second factor.",
        subcommands: [List.self, Rename.self, Remove.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List passkeys.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let passkeys = try await signedIn.passkeys()
                try context.show(CredentialListBody(credentials: passkeys)) {
                    var table = Table("name", "made", "last used", "opens L2", "id")
                    for passkey in passkeys {
                        table.add(
                            passkey.details?.name ?? "", Timestamp.text(passkey.createdAt),
                            passkey.lastUsedAt.map(Timestamp.text) ?? "never", passkey.opensL2 ? "yes" : "no",
                            passkey.id)
                    }
                    return table.isEmpty ? "No passkeys." : table.text
                }
            }
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rename a passkey.")

        @Argument(help: "Passkey, by name or id.")
        var name: String

        @Argument(help: "New name.")
        var newName: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let passkey = try await signedIn.passkeys().find(NameArgument.name(name))
                let body = PasskeyNameBody(name: NameArgument.name(newName))
                try await signedIn.send(
                    NodeRequest(.patch, "api/v1/account/passkeys", passkey.id, body: body))
                context.terminal.note("Renamed.")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a passkey. Sessions that it opened go on.")

        @Argument(help: "Passkey, by name or id.")
        var name: String

        @Flag(help: "Skip the confirmation.")
        var yes = false

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let passkey = try await signedIn.passkeys().find(NameArgument.name(name))
                guard try yes || context.terminal.confirm("Remove \(passkey.label)?", otherwise: "Add --yes.") else {
                    return
                }
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .delete, "api/v1/account/passkeys", passkey.id, body: ProvenBody(proof: proof)))
                }
                context.terminal.note("Removed \(passkey.label).")
            }
        }
    }
}

extension SignedIn {
    fileprivate func passkeys() async throws -> [CredentialBody] {
        try await lastingCredentials().filter { $0.kind == "passkey" }
    }
}
