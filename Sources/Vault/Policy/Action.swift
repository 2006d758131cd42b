import VaultFormat

/// Everything that a principal can ask of a vault. An action without a rule does not build.
package enum Action: CaseIterable, Sendable {
    // Entries
    case readValue, readPastValue, readCode
    case viewEntry, listEntries, listTrash, listDeposits, listVersions
    case search, searchIndex
    case createEntry, changeValues, changeMetadata, replaceEntry, restoreVersion
    case trashEntry, untrashEntry, purgeEntry
    case deposit, acceptDeposit, rejectDeposit
    // Agents
    case viewAgents, viewDisclosures, createAgent, changeAgent, pauseAgent, rotateAgent, revokeAgent
    // The vault's log
    case readAudit
    // The account
    case viewAccount, listSessions, endSession, changePassword, signOutEverywhere, changeRecoveryKit
    case beginSecondFactor, confirmSecondFactor, endSecondFactor, exportL2, rekeyL2, deleteAccount

    /// Who may do it.
    package var rule: Rule {
        switch self {
        case .viewEntry, .listEntries, .search: .everyPrincipal
        case .readValue: .verbs([.read])
        // Whoever reads the seed can make the code.
        case .readCode: .verbs([.totp, .read])
        case .changeValues: .verbs([.write])
        case .deposit: .agents(.deposit)
        case .createAgent, .changeAgent, .rotateAgent, .beginSecondFactor, .deleteAccount: .freshOwner
        case .readPastValue, .listTrash, .listDeposits, .listVersions, .searchIndex, .createEntry, .changeMetadata,
            .replaceEntry, .restoreVersion, .trashEntry, .untrashEntry, .purgeEntry, .acceptDeposit, .rejectDeposit:
            .owner
        case .viewAgents, .viewDisclosures, .pauseAgent, .revokeAgent, .readAudit: .owner
        // What makes a thief permanent needs the proof of a credential as well, which `Accounts` checks.
        case .viewAccount, .listSessions, .endSession, .changePassword, .signOutEverywhere, .changeRecoveryKit,
            .confirmSecondFactor, .endSecondFactor, .exportL2, .rekeyL2:
            .owner
        }
    }

    package enum Rule: Equatable, Sendable {
        /// What it sees follows from the keys that it holds.
        case everyPrincipal
        case owner
        /// The owner, who gave the password or the kit within the last ten minutes.
        case freshOwner
        /// The owner, or an agent with one of these verbs.
        case verbs([AgentPolicy.Verb])
        /// Agents with this verb alone.
        case agents(AgentPolicy.Verb)

        /// Who can satisfy it at all.
        package var parties: Set<Party> {
            switch self {
            case .everyPrincipal, .verbs: [.owner, .agents]
            case .owner, .freshOwner: [.owner]
            case .agents: [.agents]
            }
        }
    }
}
