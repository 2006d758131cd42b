import VaultFormat

/// Every action of a principal on a vault. An action without a rule does not compile.
package enum Action: CaseIterable, Sendable {
    // Entries
    case readValue, readPastValue, readCode
    case viewEntry, listEntries, listTrash, listDeposits, listVersions
    case search, searchIndex
    case exportL2, rekeyEntry
    case createEntry, changeValues, changeMetadata, replaceEntry, restoreVersion
    case trashEntry, untrashEntry, purgeEntry
    case deposit, acceptDeposit, rejectDeposit
    // Agents
    case viewAgents, viewDisclosures, createAgent, changeAgent, pauseAgent, rotateAgent, revokeAgent
    // The vault's log
    case readAudit
    // The account
    case viewAccount, listSessions, endSession, changePassword, signOutEverywhere, changeRecoveryKit
    case viewCredentials, addPasskey, renamePasskey, removePasskey
    case beginSecondFactor, confirmSecondFactor, endSecondFactor, viewL2, rekeyL2, deleteAccount

    /// The authorization rule.
    package var rule: Rule {
        switch self {
        case .viewEntry, .listEntries, .search: .everyPrincipal
        case .readValue: .verbs([.read])
        // A principal that can read the seed can generate the code.
        case .readCode: .verbs([.totp, .read])
        case .changeValues: .verbs([.write])
        case .deposit: .agents(.deposit)
        case .createAgent, .changeAgent, .rotateAgent, .beginSecondFactor, .deleteAccount: .freshOwner
        case .readPastValue, .listTrash, .listDeposits, .listVersions, .searchIndex, .createEntry, .changeMetadata,
            .replaceEntry, .restoreVersion, .trashEntry, .untrashEntry, .purgeEntry, .acceptDeposit, .rejectDeposit:
            .owner
        case .viewAgents, .viewDisclosures, .pauseAgent, .revokeAgent, .readAudit: .owner
        // Actions that could give a thief permanent access also require the proof of a credential, which `Accounts` checks.
        case .viewAccount, .viewCredentials, .listSessions, .endSession, .changePassword, .signOutEverywhere,
            .changeRecoveryKit, .addPasskey, .renamePasskey, .removePasskey, .confirmSecondFactor, .endSecondFactor,
            .viewL2, .exportL2, .rekeyL2, .rekeyEntry:
            .owner
        }
    }

    package enum Rule: Equatable, Sendable {
        /// Any principal; its keys determine what it can read.
        case everyPrincipal
        case owner
        /// The owner, with a session that was opened within the last ten minutes.
        case freshOwner
        /// The owner, or an agent with one of these verbs.
        case verbs([AgentPolicy.Verb])
        /// Only agents with this verb.
        case agents(AgentPolicy.Verb)

        /// The parties that can satisfy the rule.
        package var parties: Set<Party> {
            switch self {
            case .everyPrincipal, .verbs: [.owner, .agents]
            case .owner, .freshOwner: [.owner]
            case .agents: [.agents]
            }
        }
    }
}
