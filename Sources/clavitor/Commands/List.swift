import ArgumentParser
import Wire

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List entries, never values.")

    @Option(help: "Only those in whose title, tags or addresses this occurs.")
    var text: String?

    @Option(help: "Only those with this tag.")
    var tag: String?

    @Option(help: "Only those that belong to this host.")
    var host: String?

    @Flag(help: "What was removed.")
    var trash = false

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let isSearch = text != nil || tag != nil || host != nil
        if trash, isSearch { throw CommandFailure(.usage, "--trash lists everything; it takes no filter.") }
        try await workspace.signedIn { signedIn in
            let entries =
                isSearch
                ? try await search(signedIn)
                : try await EntryFinder(signedIn: signedIn).all(in: trash ? "api/v1/trash" : "api/v1/entries")
            try workspace.show(EntryListBody(entries: entries, next: nil)) { entries.printed }
        }
    }

    private func search(_ signedIn: SignedIn) async throws -> [EntryBody] {
        var entries: [EntryBody] = []
        var query = SearchBody(text: text, tag: tag, host: host, limit: 100)
        repeat {
            let request = NodeRequest(.post, "api/v1/entries/search", body: query)
            let page = try await signedIn.send(request, as: EntryListBody.self)
            entries += page.entries
            query.cursor = page.next
        } while query.cursor != nil
        return entries
    }
}
