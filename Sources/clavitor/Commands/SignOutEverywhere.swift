import ArgumentParser
import Wire

struct SignOutEverywhere: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out-everywhere", abstract: "End all sessions on all machines; the password stays.",
        discussion: """
            For use after a possible compromise. Ends the recovery kit and the passkeys, except those named by --keep; without \
            --keep and --new-kit it asks for each. Pauses agents, except those named by --keep-agent; `clavitor agent resume` \
            resumes them.
            """)

    @OptionGroup var keeping: KeepOptions

    @Option(name: .customLong("keep-agent"), help: "Agent to keep active, by name or id (repeatable).")
    var keptAgents: [String] = []

    @OptionGroup var code: CodeOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let account = try signedIn.owner()
            let l2Key = try await signedIn.l2Key()
            let keys = try await signedIn.passwordKeys()
            let decision = try keeping.decide(on: try await signedIn.lastingCredentials(), context.terminal)
            var kept: [String] = []
            for name in keptAgents { kept.append(try await AgentFinder(signedIn: signedIn).agent(name).id) }
            let change = try await signedIn.proving(code) { proof in
                let body = SignOutBody(
                    proof: proof, recovery: decision.newKit?.body(for: l2Key, origin: account.pins.origin),
                    keep: decision.kept.map(\.id), keepAgents: kept)
                return try await signedIn.send(
                    NodeRequest(.post, "api/v1/account/sign-out-everywhere", body: body), as: OwnerChangeBody.self)
            }
            try context.showChange(OwnerChangeOutput(change, decision)) { "All other sessions are ended." }
            try signedIn.adopt(change.session, keys: keys)
        }
    }
}
