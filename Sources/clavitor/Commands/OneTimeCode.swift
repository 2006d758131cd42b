import ArgumentParser
import OneTimePasswords
import Wire

struct OneTimeCode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "totp", abstract: "Print the one-time code of a field that holds a seed.")

    @Argument(help: "ENTRY/FIELD.")
    var path: String

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let (entry, field) = try await EntryFinder(signedIn: signedIn).fieldTarget(path)
            let code = try await code(of: field, in: entry, signedIn)
            if workspace.printsJSON {
                try workspace.terminal.json(code)
            } else if workspace.terminal.isOutputInteractive {
                try workspace.terminal.line(code.code)
                workspace.terminal.note("Good for \(code.expiresIn) seconds.")
            } else {
                try workspace.terminal.write(code.code)
            }
        }
    }

    private func code(of field: FieldBody, in entry: EntryBody, _ signedIn: SignedIn) async throws -> CodeBody {
        guard field.tier == 2 else {
            return try await signedIn.send(NodeRequest(.get, "api/v1/entries", entry.id, "fields", field.id, "totp"))
        }
        // The node cannot: the seed is opened here.
        let seed = try await FieldReader(signedIn: signedIn).value(of: field, in: entry)
        guard let generator = TOTP(seed) else { throw Problem(.notATOTPSeed, status: 422, title: "Not a seed") }
        let now = Moment.now
        return CodeBody(
            code: generator.code(at: now), period: generator.period,
            expiresIn: generator.period - now % generator.period)
    }
}
