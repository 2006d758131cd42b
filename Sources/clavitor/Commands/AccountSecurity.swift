import ArgumentParser
import Vault
import Wire

struct SignOutEverywhere: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out-everywhere", abstract: "End every session on every machine; the password stays.",
        discussion: "The recovery kit ends too: a new one is printed.")

    @Flag(name: .customLong("no-kit"), help: "Make no recovery kit.")
    var withoutKit = false

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let account = try signedIn.owner()
            let l2Key = try await signedIn.l2Key()
            let keys = try await signedIn.passwordKeys()
            let kit = withoutKit ? nil : RecoveryKit()
            let body = SignOutBody(
                authKey: Base64URL.encode(keys.authKey.bytes),
                recovery: kit?.body(for: l2Key, origin: account.pins.origin))
            let session = try await signedIn.send(
                NodeRequest(.post, "api/v1/account/sign-out-everywhere", body: body), as: SessionBody.self)
            try signedIn.adopt(session, keys: keys)
            try workspace.show(KitOutput(kit)) { "Every other session has ended." + KitOutput.paragraph(kit) }
        }
    }
}

struct Kit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make or remove the recovery kit.", subcommands: [New.self, Remove.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new recovery kit; an old one ends.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let kit = try await KitChange(signedIn: signedIn).make(for: try await signedIn.l2Key())
                try workspace.show(KitOutput(kit)) { kit.printed }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the recovery kit: without the password the vault is lost then.")

        @Flag(help: "Do not ask.")
        var yes = false

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let question = "Remove the recovery kit? Without the password the vault is lost then."
                guard try yes || workspace.terminal.confirm(question, otherwise: "Add --yes.") else { return }
                try await signedIn.send(NodeRequest(.delete, "api/v1/account/recovery"))
                workspace.terminal.note("The recovery kit opens nothing any more.")
            }
        }
    }
}

/// Replaces the recovery kit.
struct KitChange {
    let signedIn: SignedIn

    func make(for l2Key: L2Key) async throws -> RecoveryKit {
        let kit = RecoveryKit()
        let body = kit.body(for: l2Key, origin: try signedIn.owner().pins.origin)
        try await signedIn.send(NodeRequest(.put, "api/v1/account/recovery", body: body))
        return kit
    }
}

struct SecondFactor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "second-factor", abstract: "Ask for a one-time code at every login, or stop.",
        subcommands: [Enable.self, Disable.self])

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Switch the second factor on.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let begun = try await signedIn.send(
                    NodeRequest(.post, "api/v1/account/totp", body: SecondFactorRequestBody()),
                    as: SecondFactorBody.self)
                workspace.terminal.note(
                    "Enter this in an authenticator app:\n\n    \(begun.secret ?? "")\n    \(begun.uri ?? "")\n")
                let code = try workspace.terminal.ask("The code it shows now", otherwise: "This needs a terminal.")
                let done = try await signedIn.send(
                    NodeRequest(
                        .post, "api/v1/account/totp",
                        body: SecondFactorRequestBody(code: code.filter { !$0.isWhitespace })),
                    as: SecondFactorBody.self)
                try workspace.show(done) {
                    """
                    The second factor is on. These codes stand in for it, each of them once; keep them like the kit:

                    \((done.recoveryCodes ?? []).map { "    \($0)" }.joined(separator: "\n"))
                    """
                }
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Switch the second factor off.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                try await signedIn.send(NodeRequest(.delete, "api/v1/account/totp"))
                workspace.terminal.note("The second factor is off.")
            }
        }
    }
}

struct DeleteAccount: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete-account", abstract: "Delete the account and everything in its vault, for good.")

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let account = try signedIn.owner()
            if !yes {
                let typed = try workspace.terminal.ask(
                    "Everything in the vault will be gone. Type \(account.email) to go on", otherwise: "Add --yes.")
                guard typed == account.email else {
                    throw CommandFailure(.usage, "That is not the address; nothing was deleted.")
                }
            }
            try await signedIn.send(NodeRequest(.delete, "api/v1/account"))
            try workspace.sessions.forget(account)
            workspace.terminal.note("\(account.email) is deleted.")
        }
    }
}
