import Files

/// The health file of gdnsd's `extfile` plugin: which addresses of the nearest name are up.
///
/// gdnsd has the records themselves in its configuration (`dns gdnsd-config` prints it), so that this file is all there
/// is to change. It is replaced by renaming: gdnsd never reads half of it.
package struct HealthFile: NameProvider {
    private let path: String
    /// With every node in the nearest name.
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
        // gdnsd takes an address that is not mentioned for up, and complains.
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
        let strangers = mentioned.subtracting(members).sorted().map {
            """
            gdnsd may still have \($0), which is no node's any more, and is told that it is down. Print gdnsd's \
            configuration anew with `dns gdnsd-config`, let gdnsd read it, then take the line out of \(path).
            """
        }
        let news = mentioned.isEmpty ? [] : members.subtracting(mentioned).sorted()
        return strangers
            + news.map { "gdnsd does not have \($0) yet. Print its configuration anew with `dns gdnsd-config`." }
    }

    /// Who was a node once stays down: gdnsd may still have the address, and would take it for up.
    private func text(up: Set<HostAddress>, former: some Sequence<HostAddress>) -> String {
        let members = complete.sets[complete.nearest]?.addresses ?? []
        let lines = members.union(former).sorted().map { address in
            "\(address) => \(members.contains(address) && up.contains(address) ? "UP" : "DOWN")\n"
        }
        return "# Written by clavitor-soc, and replaced whenever a node falls ill or recovers.\n" + lines.joined()
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

    /// True: up. The `/ttl` behind a state is not ours.
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
            "The health file has a line that is not ours: \(line). Remove the file; it is written anew."
        case .fixedName(let name):
            "\(name) stands in gdnsd's zone file. Print it anew with `clavitor-soc dns gdnsd-config`."
        case .file(let path, let why):
            "health-file = \"\(path)\" in [dns] of the inventory cannot be used: \(why)"
        }
    }
}
