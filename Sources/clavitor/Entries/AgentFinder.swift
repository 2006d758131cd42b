import Console
import Wire

/// Finds agents by id or name.
struct AgentFinder {
    let signedIn: SignedIn

    func all() async throws -> [AgentBody] {
        var (agents, cursor): ([AgentBody], String?) = ([], nil)
        repeat {
            let request = NodeRequest(.get, "api/v1/agents").with("limit", 200).with("cursor", cursor)
            let page = try await signedIn.send(request, as: AgentListBody.self)
            agents += page.agents
            cursor = page.next
        } while cursor != nil
        // In order of creation; the node lists them by id.
        return agents.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    func agent(_ argument: String) async throws -> AgentBody {
        let name = NameArgument.name(argument)
        let agents = try await all()
        let byID = agents.filter { $0.id == name }
        let found = byID.isEmpty ? agents.filter { $0.name.lowercased() == name.lowercased() } : byID
        guard let agent = found.first else {
            throw CommandFailure(.notFound, "There is no agent \"\(name.printable)\".", hint: "clavitor agent ls")
        }
        guard found.count == 1 else {
            let list = found.map { "  \($0.id)  \($0.name.printable)" }.joined(separator: "\n")
            throw CommandFailure(
                .conflict, "There are several agents \"\(name.printable)\":\n\(list)", hint: "Use the id.")
        }
        return agent
    }
}
