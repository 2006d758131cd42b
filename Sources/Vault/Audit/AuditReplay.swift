/// What a vault's rows come to, as far as the audit log can tell.
package struct VaultState: Equatable, Sendable {
    package var owner: String?
    package var agents: Set<String> = []
    package var entries: [String: Entry] = [:]
    /// Current versions, by `entry/field`.
    package var fields: [String: Int] = [:]
    /// Agents that can open a current version, by `entry/field`; no empty sets.
    package var readers: [String: Set<String>] = [:]

    package struct Entry: Equatable, Sendable {
        package var version: Int
        package var state: EntryState

        package init(version: Int, state: EntryState) {
            self.version = version
            self.state = state
        }
    }

    package init() {}

    /// Where the rows differ from what the log led to: rows that somebody put back, took away or planted.
    package func differences(from actual: VaultState) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ what: String, _ expected: [String: Value], _ actual: [String: Value]) {
            for key in Set(expected.keys).union(actual.keys).sorted() where expected[key] != actual[key] {
                let (logged, stored) = (expected[key].map { "\($0)" }, actual[key].map { "\($0)" })
                found.append("\(what) \(key): the log says \(logged ?? "none"), the file \(stored ?? "none")")
            }
        }
        if owner != actual.owner {
            found.append("owner: the log says \(owner ?? "none"), the file \(actual.owner ?? "none")")
        }
        for agent in agents.symmetricDifference(actual.agents).sorted() {
            found.append("agent \(agent): \(agents.contains(agent) ? "missing from the file" : "unknown to the log")")
        }
        compare("entry", entries, actual.entries)
        compare("field", fields, actual.fields)
        compare("readers of", readers.mapValues { $0.sorted() }, actual.readers.mapValues { $0.sorted() })
        return found
    }
}

/// Follows the log, line by line, to the state that it leads to.
package struct AuditReplay: Sendable {
    package private(set) var state = VaultState()

    package init() {}

    package mutating func apply(_ event: AuditEvent) {
        guard event.outcome == .ok else { return }
        switch event.action {
        case .accountCreate:
            state.owner = event.actor.id
        case .passwordChange, .signOutEverywhere, .accountRecover:
            state.owner = event.successor
        case .entryCreate, .entryUpdate, .depositCreate:
            write(event)
        case .depositAccept, .entryUntrash:
            set(event, .active)
            share(event)
        case .entryTrash:
            set(event, .trashed)
            removeReaders { $0.hasPrefix("\(event.entry ?? "")/") }
        case .entryPurge, .depositReject, .depositExpire:
            guard let entry = event.entry else { return }
            state.entries[entry] = nil
            state.fields = state.fields.filter { !$0.key.hasPrefix("\(entry)/") }
            removeReaders { $0.hasPrefix("\(entry)/") }
        case .agentCreate:
            add(event.subject, event.holds)
        case .agentUpdate:
            guard let agent = event.subject else { return }
            if let more = event.holdsToo { add(agent, more) }
            guard let holds = event.holds else { return }
            remove(agent)
            add(agent, holds)
        case .agentRotate:
            remove(event.subject)
            add(event.successor, event.holds)
        case .agentRevoke:
            remove(event.subject)
        case .valueRead, .codeRead, .accountDelete, .recoveryBegin, .l2Rekey, .recoveryChange, .secondFactorEnable,
            .secondFactorDisable, .historyPrune, .auditAccept, .login, .logout, .denied, .nodeStart, .nodeStop, .backup,
            .restore, .rootKeyRotate,
            .rootKeyExport, .export, .readOnly, .certificateOrder, .certificateIssue, .certificateFail,
            .certificateRevoke:
            break
        }
    }

    private mutating func write(_ event: AuditEvent) {
        guard let entry = event.entry, let version = event.version else { return }
        let state: EntryState = event.action == .depositCreate ? .deposit : .active
        self.state.entries[entry] = .init(version: version, state: state)
        for field in event.changed ?? [] { self.state.fields["\(entry)/\(field)"] = version }
        for field in event.removed ?? [] { self.state.fields["\(entry)/\(field)"] = nil }
        share(event)
    }

    private mutating func set(_ event: AuditEvent, _ state: EntryState) {
        guard let entry = event.entry else { return }
        self.state.entries[entry]?.state = state
    }

    private mutating func share(_ event: AuditEvent) {
        guard let entry = event.entry else { return }
        for (field, agents) in event.readers ?? [:] {
            state.readers["\(entry)/\(field)"] = agents.isEmpty ? nil : Set(agents)
        }
    }

    private mutating func add(_ agent: String?, _ holds: [String]?) {
        guard let agent else { return }
        state.agents.insert(agent)
        for place in holds ?? [] { state.readers[place, default: []].insert(agent) }
    }

    private mutating func remove(_ agent: String?) {
        guard let agent else { return }
        state.agents.remove(agent)
        for place in Array(state.readers.keys) {
            state.readers[place]?.remove(agent)
            if state.readers[place]?.isEmpty == true { state.readers[place] = nil }
        }
    }

    private mutating func removeReaders(_ matches: (String) -> Bool) {
        state.readers = state.readers.filter { !matches($0.key) }
    }
}
