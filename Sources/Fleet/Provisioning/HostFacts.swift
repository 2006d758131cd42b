/// What a new machine says of itself.
package struct HostFacts: Equatable, Sendable {
    package var system: String
    package var version: String
    package var architecture: String
    package var isRoot: Bool
    /// Kibibytes.
    package var memory: Int
    /// Kibibytes that are free on `/`.
    package var free: Int
    /// The device of `/`.
    package var root: String

    /// Changes nothing.
    static let script = """
        set -eu
        . /etc/os-release
        echo "system=$ID"
        echo "version=${VERSION_ID:-}"
        echo "architecture=$(uname -m)"
        echo "user=$(id -u)"
        awk '/^MemTotal:/ { print "memory=" $2 }' /proc/meminfo
        df -Pk / | awk 'NR == 2 { print "free=" $4; print "root=" $1 }'
        """

    package static func ask(_ shell: some RemoteShell) async throws -> HostFacts {
        try HostFacts(try await shell.run(.script(script), input: nil, deadline: .seconds(60)))
    }

    /// Reads what the script prints.
    package init(_ text: String) throws(ProvisionError) {
        var values: [Substring: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = String(line[line.index(after: equals)...])
        }
        func value(_ key: Substring) throws(ProvisionError) -> String {
            guard let value = values[key] else { throw .unreadable(String(key)) }
            return value
        }
        func number(_ key: Substring) throws(ProvisionError) -> Int {
            guard let number = Int(try value(key)) else { throw .unreadable(String(key)) }
            return number
        }
        system = try value("system")
        version = try value("version")
        architecture = try value("architecture")
        isRoot = try value("user") == "0"
        memory = try number("memory")
        free = try number("free")
        root = try value("root")
    }

    /// Why the machine cannot be converted; empty when it can. `expectedRoot` is the device that the inventory has for
    /// `/`: the first system would not boot from another.
    package func problems(for method: ProvisionPlan.Method, expectedRoot: String?) -> [String] {
        // What Linux itself keeps is missing from MemTotal.
        let (least, name) =
            switch method {
            case .infect: (400 << 10, "nixos-infect")
            case .anywhere: (1_900 << 10, "nixos-anywhere")
            }
        var problems: [String] = []
        if system != "debian" || version != "12" { problems.append("it runs \(system) \(version), not Debian 12") }
        if architecture != "x86_64" { problems.append("it is \(architecture), not x86_64") }
        if !isRoot { problems.append("the key does not open root") }
        if memory < least { problems.append("\(name) needs \(least >> 10) MB of memory, and it has \(memory >> 10)") }
        if free < 5 << 20 { problems.append("5 GB must be free on /, and \(free >> 20) are") }
        if let expectedRoot, root != expectedRoot {
            problems.append(
                "/ is on \(root), and the inventory says \(expectedRoot): set `root` and `disk` of the node")
        }
        return problems
    }
}
