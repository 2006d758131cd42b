import ArgumentParser
import Wire

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List entries without values.")

    @Option(help: "Only entries with this text in title, tags or URLs.")
    var text: String?

    @Option(help: "Only entries with this tag.")
    var tag: String?

    @Option(help: "Only entries of this host or domain.")
    var host: String?

    @Flag(help: "List the trash.")
    var trash = false

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let isSearch = text != nil || tag != nil || host != nil
        if trash, isSearch { throw CommandFailure(.usage, "--trash cannot be combined with a filter.") }
        try await context.signedIn { signedIn in
            let entries =
                isSearch
                ? try await search(signedIn)
                : try await EntryFinder(signedIn: signedIn).all(in: trash ? "api/v1/trash" : "api/v1/entries")
            try context.show(EntryListBody(entries: entries, next: nil)) { entries.printed }
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
