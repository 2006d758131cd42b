import Wire

/// The result of a change of the owner's key holder, with a new kit. Printed before anything else can fail, because the kit is valid
/// from the node's response on.
struct OwnerChangeOutput: Encodable {
    let recoveryKit: String?
    let kitNumber: String?
    let kept: [String]
    let ended: [String]
    let endedSessions: Int
    let activeAgents: [String]
    let pausedAgents: [String]
    let owed: Bool
    private let decision: KeepDecision
    private let kit: String

    private enum CodingKeys: String, CodingKey {
        case recoveryKit, kitNumber, kept, ended, endedSessions, activeAgents, pausedAgents, owed
    }

    init(_ change: OwnerChangeBody, _ decision: KeepDecision) {
        recoveryKit = decision.newKit?.text
        kitNumber = decision.newKit?.number
        kept = change.kept
        ended = change.ended
        endedSessions = change.endedSessions
        activeAgents = change.activeAgents
        pausedAgents = change.pausedAgents
        owed = change.owed
        kit = change.kit
        self.decision = decision
    }

    /// The lines below the first.
    fileprivate var lines: [String] {
        var lines = ["Sessions ended: \(endedSessions)."]
        lines += names(kept).map { "Kept: \($0)." }
        lines += names(ended).map { "Ended: \($0)." }
        if !activeAgents.isEmpty { lines.append("Active agents: \(activeAgents.count).") }
        if !pausedAgents.isEmpty {
            lines.append(
                "Paused agents: \(pausedAgents.count). See `clavitor agent ls`, then `clavitor agent resume NAME`.")
        }
        if owed { lines.append("Former keys are not erased from the node's file yet; the node finishes that.") }
        return lines
    }

    /// By label where it is known.
    private func names(_ ids: [String]) -> [String] {
        let known = decision.kept + decision.ended
        return ids.map { id in known.first { $0.id == id }?.label ?? id }
    }

    fileprivate var paragraph: String { kit == "kept" ? "" : KitOutput.paragraph(decision.newKit) }
}

extension CommandContext {
    func showChange(_ output: OwnerChangeOutput, _ first: () -> String) throws {
        let otherwise =
            output.recoveryKit == nil
            ? nil : "The change was made. Create another kit: clavitor login, then clavitor kit new"
        try show(output, otherwise: otherwise) {
            ([first()] + output.lines).joined(separator: "\n") + output.paragraph
        }
    }
}
