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
        let states = try Self.states(try File.read(path, most: 1 << 20))
        // gdnsd takes an address that is not mentioned for up, and complains.
        sets[complete.nearest]?.addresses.formIntersection(states.filter { $0.value }.keys)
        return sets
    }

    package func apply(_ changes: [NameChange]) async throws {
        for change in changes {
            guard change.name == complete.nearest else { throw HealthFileError.fixedName(change.name) }
            try File.replace(path, with: text(up: change.after.addresses), mode: 0o644)
        }
    }

    func text(up: Set<IPv4Address>) -> String {
        let lines = (complete.sets[complete.nearest]?.addresses ?? []).sorted().map { address in
            "\(address) => \(up.contains(address) ? "UP" : "DOWN")\n"
        }
        return "# Written by clavitor-soc, and replaced whenever a node falls ill or recovers.\n" + lines.joined()
    }

    /// True: up. The `/ttl` behind a state is not ours.
    static func states(_ text: String) throws(HealthFileError) -> [IPv4Address: Bool] {
        var states: [IPv4Address: Bool] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 3, words[1] == "=>", let address = IPv4Address(first),
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

    package var description: String {
        switch self {
        case .line(let line):
            "The health file has a line that is not ours: \(line). Remove the file; it is written anew."
        case .fixedName(let name):
            "\(name) stands in gdnsd's zone file. Print it anew with `clavitor-soc dns gdnsd-config`."
        }
    }
}
