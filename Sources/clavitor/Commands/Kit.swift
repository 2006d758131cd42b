import ArgumentParser
import Wire

struct Kit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show, create or remove the recovery kit.", subcommands: [Show.self, New.self, Remove.self],
        defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the number and the dates of the present kit.",
            discussion: "The number is printed on the kit. Another number means that somebody replaced it.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let kit = try await signedIn.lastingCredentials().first { $0.kind == "recovery" }
                try context.show(KitInformation(kit)) {
                    guard let kit else { return "There is no recovery kit. To create one: clavitor kit new" }
                    return "\(kit.label.capitalizedFirst), \(kit.dates)"
                }
            }
        }
    }

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a recovery kit, replacing an old one.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let l2Key = try await signedIn.l2Key()
                let kit = NewKit()
                let recovery = kit.body(for: l2Key, origin: try signedIn.owner().pins.origin)
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .put, "api/v1/account/recovery", body: KitBody(proof: proof, recovery: recovery)))
                }
                try context.show(
                    KitOutput(kit), otherwise: "The old kit is replaced. Create another: clavitor kit new"
                ) { kit.printed }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the recovery kit. If the password is lost then, the vault is lost.")

        @Flag(help: "Skip the confirmation.")
        var yes = false

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let question = "Remove the recovery kit? If the password is lost then, the vault is lost."
                guard try yes || context.terminal.confirm(question, otherwise: "Add --yes.") else { return }
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(.delete, "api/v1/account/recovery", body: ProvenBody(proof: proof)))
                }
                context.terminal.note("Recovery kit removed.")
            }
        }
    }
}

/// What is known of the present kit.
private struct KitInformation: Encodable {
    let id: String?
    let number: String?
    let createdAt: Int64?
    let lastUsedAt: Int64?

    init(_ kit: CredentialBody?) {
        id = kit?.id
        number = kit?.kitNumber
        createdAt = kit?.createdAt
        lastUsedAt = kit?.lastUsedAt
    }
}

/// The output of a new kit.
struct KitOutput: Encodable {
    let recoveryKit: String?
    let kitNumber: String?

    init(_ kit: NewKit?) {
        recoveryKit = kit?.text
        kitNumber = kit?.number
    }

    static func paragraph(_ kit: NewKit?) -> String {
        "\n\n" + (kit?.printed ?? "There is no recovery kit. To create one: clavitor kit new")
    }
}
