import Files

/// The health file of gdnsd's `extfile` plugin: which addresses of the nearest name are up.
///
/// gdnsd has the records in its configuration (printed by `dns gdnsd-config`), so only this file changes. It is replaced
/// atomically, so that gdnsd never reads a partial file.
package struct HealthFile: NameProvider {
    private let path: String
    /// The records with every node in the nearest name.
    private let complete: Records

    package init(path: String, complete: Records) {
        self.path = path
        self.complete = complete
    }

    package func present(_ names: [String]) async throws -> [String: RecordSet] {
        var sets = complete.sets.filter { names.contains($0.key) }
        guard File.exists(path) else {
            sets[complete.nearest] = nil
            return sets
        }
        // gdnsd treats an address without a line as up, and logs a warning.
        let states = try states()
        let unmentioned = (sets[complete.nearest]?.addresses ?? []).subtracting(states.keys)
        sets[complete.nearest]?.addresses = unmentioned.union(states.filter { $0.value }.keys)
        return sets
    }

    package func apply(_ changes: [NameChange]) async throws {
        for change in changes {
            guard change.name == complete.nearest else { throw HealthFileError.fixedName(change.name) }
            let text = text(up: change.after.addresses, former: try states().keys)
            do {
                try File.replace(path, with: text, mode: 0o644)
            } catch {
                throw HealthFileError.file(path, "\(error)")
            }
        }
    }

    package func remarks() async throws -> [String] {
        let (mentioned, members) = (Set(try states().keys), complete.sets[complete.nearest]?.addresses ?? [])
        let former = mentioned.subtracting(members).sorted().map {
            """
            gdnsd may still have \($0), which no node has any more; the health file marks it as down. Print gdnsd's \
            configuration again with `dns gdnsd-config`, reload gdnsd, then remove the line from \(path).
            """
        }
        let new = mentioned.isEmpty ? [] : members.subtracting(mentioned).sorted()
        return former
            + new.map { "gdnsd does not have \($0) yet. Print its configuration again with `dns gdnsd-config`." }
    }

    /// Addresses of former nodes stay down: gdnsd may still have them, and treats addresses without a line as up.
    private func text(up: Set<HostAddress>, former: some Sequence<HostAddress>) -> String {
        let members = complete.sets[complete.nearest]?.addresses ?? []
        let lines = members.union(former).sorted().map { address in
            "\(address) => \(members.contains(address) && up.contains(address) ? "UP" : "DOWN")\n"
        }
        return "# Written by clavitor-soc, and replaced whenever a node's health changes.\n" + lines.joined()
    }

    private func states() throws -> [HostAddress: Bool] {
        guard File.exists(path) else { return [:] }
        let text: String
        do {
            text = try File.read(path, most: 1 << 20)
        } catch {
            throw HealthFileError.file(path, "\(error)")
        }
        return try Self.states(text)
    }

    /// Parses the states; true is up. The `/ttl` after a state is ignored.
    static func states(_ text: String) throws(HealthFileError) -> [HostAddress: Bool] {
        var states: [HostAddress: Bool] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 3, words[1] == "=>", let address = HostAddress(first),
                let state = words[2].split(separator: "/").first, state == "UP" || state == "DOWN"
            else { throw .line(String(line)) }
            states[address] = state == "UP"
        }
        return states
    }
}

package enum HealthFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case line(String)
    case fixedName(String)
    case file(String, String)

    package var description: String {
        switch self {
        case .line(let line):
            "The health file has an unknown line: \(line). Remove the file; it is written again."
        case .fixedName(let name):
            "\(name) is in gdnsd's zone file, which is not written here. Print it with `clavitor-soc dns gdnsd-config --zone`."
        case .file(let path, let why):
            "health-file = \"\(path)\" in [dns] of the inventory cannot be used: \(why)"
        }
    }
}
