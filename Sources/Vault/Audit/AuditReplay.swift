/// The part of a vault's state that the audit log determines.
package struct VaultState: Equatable, Sendable {
    /// The owner's current key holder.
    package var owner: String?
    /// The agents' current key holders.
    package var agents: [String: String] = [:]
    package var entries: [String: Entry] = [:]
    /// Current versions by entry and field, without empty entries.
    package var fields: [String: [String: Int]] = [:]
    /// Agents that can open a current version, by entry and field, without empty entries.
    package var readers: [String: [String: Set<String>]] = [:]
    /// Agents that are paused or suspended. The file may still have wraps that the log lists as revoked, because they are deleted
    /// in parts; all are gone before the agent becomes active again.
    package var idle: Set<String> = []

    package struct Entry: Equatable, Sendable {
        package var version: Int
        package var state: EntryState

        package init(version: Int, state: EntryState) {
            self.version = version
            self.state = state
        }
    }

    package init() {}

    /// Compares the state according to the log with the file's: finds rows that were rolled back, removed or planted.
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
        compare("key holder of agent", agents, actual.agents)
        compare("entry", entries, actual.entries)
        compare("field", Self.byPlace(fields), Self.byPlace(actual.fields))
        let logged = Self.byPlace(readers)
        let stored = Self.byPlace(actual.readers).compactMap { place, agents -> (String, Set<String>)? in
            let rest = agents.subtracting(actual.idle.subtracting(logged[place] ?? []))
            return rest.isEmpty ? nil : (place, rest)
        }
        compare(
            "readers of", logged.mapValues { $0.sorted() },
            Dictionary(uniqueKeysWithValues: stored).mapValues { $0.sorted() })
        return found
    }

    /// Flattens a nested dictionary to keys of the form `entry/field`.
    private static func byPlace<Value>(_ entries: [String: [String: Value]]) -> [String: Value] {
        var places: [String: Value] = [:]
        for (entry, fields) in entries { for (field, value) in fields { places["\(entry)/\(field)"] = value } }
        return places
    }
}

/// Replays the log to compute a vault's state. The cost of a line does not depend on the vault's size.
package struct AuditReplay: Sendable {
    package private(set) var state = VaultState()
    /// Parts that each agent was granted, including ones revoked since. An index for `removeReader`.
    private var given: [String: Set<Place>] = [:]

    private struct Place: Hashable {
        let entry: String
        let field: String
    }

    package init() {}

    package mutating func apply(_ event: AuditEvent) {
        guard event.outcome == .ok else { return }
        switch event.action {
        case .accountCreate, .passwordChange, .signOutEverywhere, .accountRecover:
            state.owner = event.holder
        case .entryCreate, .entryUpdate, .depositCreate:
            write(event)
        case .depositAccept, .entryUntrash:
            set(event, .active)
            share(event)
        case .entryTrash:
            set(event, .trashed)
            removeReaders(of: event.entry)
        case .entryPurge, .depositReject, .depositExpire:
            guard let entry = event.entry else { return }
            state.entries[entry] = nil
            state.fields[entry] = nil
            removeReaders(of: entry)
        case .agentCreate:
            if let agent = event.subject { state.agents[agent] = event.holder }
            add(event.subject, event.holds)
        case .agentUpdate:
            guard let agent = event.subject else { return }
            if let more = event.holdsToo { add(agent, more) }
            guard let holds = event.holds else { return }
            removeReader(agent)
            add(agent, holds)
        case .agentRotate:
            if let agent = event.subject { state.agents[agent] = event.holder }
        case .agentRevoke:
            guard let agent = event.subject else { return }
            state.agents[agent] = nil
            removeReader(agent)
        case .valueRead, .codeRead, .accountDelete, .recoveryBegin, .l2Rekey, .entryRekey, .recoveryChange,
            .passkeyChange,
            .secondFactorBegin, .codeUse, .secondFactorEnable, .secondFactorDisable, .sessionExpire, .inviteRedeem,
            .historyPrune, .auditAccept, .login, .logout, .denied, .nodeStart, .nodeStop, .backup,
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
        var fields = self.state.fields.removeValue(forKey: entry) ?? [:]
        for field in event.changed ?? [] { fields[field] = version }
        for field in event.removed ?? [] { fields[field] = nil }
        if !fields.isEmpty { self.state.fields[entry] = fields }
        share(event)
    }

    private mutating func set(_ event: AuditEvent, _ state: EntryState) {
        guard let entry = event.entry else { return }
        self.state.entries[entry]?.state = state
    }

    private mutating func share(_ event: AuditEvent) {
        guard let entry = event.entry else { return }
        for (field, agents) in event.readers ?? [:] {
            let place = Place(entry: entry, field: field)
            for gone in state.readers[entry]?[field] ?? [] { given[gone]?.remove(place) }
            setReaders(Set(agents), of: place)
            for agent in agents { given[agent, default: []].insert(place) }
        }
    }

    private mutating func add(_ agent: String?, _ holds: [String]?) {
        guard let agent else { return }
        for text in holds ?? [] {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let entry = parts.first, let field = parts.dropFirst().first else { continue }
            let place = Place(entry: String(entry), field: String(field))
            state.readers[place.entry, default: [:]][place.field, default: []].insert(agent)
            given[agent, default: []].insert(place)
        }
    }

    private mutating func removeReader(_ agent: String) {
        for place in given.removeValue(forKey: agent) ?? [] {
            guard var readers = state.readers[place.entry]?[place.field] else { continue }
            readers.remove(agent)
            setReaders(readers, of: place)
        }
    }

    private mutating func removeReaders(of entry: String?) {
        guard let entry, let fields = state.readers.removeValue(forKey: entry) else { return }
        for (field, agents) in fields {
            for agent in agents { given[agent]?.remove(Place(entry: entry, field: field)) }
        }
    }

    private mutating func setReaders(_ agents: Set<String>, of place: Place) {
        state.readers[place.entry, default: [:]][place.field] = agents.isEmpty ? nil : agents
        if state.readers[place.entry]?.isEmpty == true { state.readers[place.entry] = nil }
    }
}
