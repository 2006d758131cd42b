import ArgumentParser
import OneTimePasswords
import Wire

struct OneTimeCode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "totp", abstract: "Print the current one-time code of a TOTP field.")

    @Argument(help: "ENTRY/FIELD.")
    var path: String

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let (entry, field) = try await EntryFinder(signedIn: signedIn).fieldTarget(path)
            let code = try await code(of: field, in: entry, signedIn)
            if context.printsJSON {
                try context.terminal.json(code)
            } else if context.terminal.isOutputInteractive {
                try context.terminal.line(code.code)
                context.terminal.note("Valid for \(code.expiresIn) seconds.")
            } else {
                try context.terminal.write(code.code)
            }
        }
    }

    private func code(of field: FieldBody, in entry: EntryBody, _ signedIn: SignedIn) async throws -> CodeBody {
        guard field.tier == 2 else {
            return try await signedIn.send(NodeRequest(.get, "api/v1/entries", entry.id, "fields", field.id, "totp"))
        }
        // The node cannot decrypt L2, so the code is computed here.
        let seed = try await FieldReader(signedIn: signedIn).value(of: field, in: entry)
        guard let generator = TOTP(seed) else { throw Problem(.notATOTPSeed, status: 422, title: "Not a seed") }
        let now = Timestamp.now
        return CodeBody(
            code: generator.code(at: now), period: generator.period,
            expiresIn: generator.period - now % generator.period)
    }
}
