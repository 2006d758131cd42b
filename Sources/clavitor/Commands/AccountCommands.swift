import ArgumentParser
import Console
import Encoding
import VaultFormat
import Wire

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the account, its session, and usage with quotas.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let local = try signedIn.owner()
            let account = try await signedIn.send(NodeRequest(.get, "api/v1/account"), as: AccountBody.self)
            try local.pins.check(vault: account.vault)
            let output = StatusOutput(server: local.server, expiresAt: local.session?.expiresAt ?? 0, account: account)
            try context.show(output) {
                """
                \(account.email.printable) at \(local.server)
                  session        until \(Timestamp.text(output.expiresAt))
                  second factor  \(account.hasSecondFactor ? "on" : "off (clavitor second-factor enable)")
                  recovery kit   \(account.hasRecoveryKit ? "created" : "none (clavitor kit new)")
                  vault          \(account.vault), since \(Timestamp.text(account.createdAt))

                \(usage(account))
                """
            }
        }
    }
}

/// A table of usage and quotas.
private func usage(_ account: AccountBody) -> String {
    var table = Table("quota", "used", "limit")
    for name in account.usage.keys.sorted() {
        table.add(name.printable, "\(account.usage[name] ?? 0)", account.quotas[name].map { "\($0)" } ?? "-")
    }
    for name in account.quotas.keys.sorted() where account.usage[name] == nil {
        table.add(name.printable, "", "\(account.quotas[name] ?? 0)")
    }
    return table.text
}

private struct StatusOutput: Encodable {
    let server: String
    let expiresAt: Int64
    let account: AccountBody
}
