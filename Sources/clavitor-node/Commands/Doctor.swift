import ArgumentParser
import Backup
import Files
import NodeCore
import RootKeySources
import SQLite
import ServerRuntime
import Storage
import VaultFormat

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check permissions, file system, integrity, audit log, clock, free space and root key.")

    @OptionGroup var options: DataOptions

    private struct Check {
        let name: String
        /// The problem and its remedy; nil when the check passes.
        let problem: String?
    }

    func run() async throws {
        let directory = options.directory
        var checks = filesystem(directory)
        checks.append(contentsOf: await database(directory))
        for check in checks {
            print("\(check.problem == nil ? "ok  " : "FAIL")  \(check.name)\(check.problem.map { ": \($0)" } ?? "")")
        }
        if checks.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
    }

    private func filesystem(_ directory: DataDirectory) -> [Check] {
        func mode(_ path: String, _ most: UInt32) -> String? {
            guard let mode = FileStatus.mode(path) else { return "\(path) is missing" }
            return mode & ~most == 0
                ? nil : "\(path) has mode \(String(mode, radix: 8)); chmod \(String(most, radix: 8))"
        }
        let network: String?
        switch try? FileSystem(folder: directory.path) {
        case .network(let name)?: network = "\(directory.path) is on \(name); use a local disk"
        case .local?: network = nil
        case nil: network = "\(directory.path) cannot be read"
        }
        let free = FileStatus.freeSpace(directory.path) ?? 0
        return [
            Check(name: "data directory is private", problem: mode(directory.path, 0o700)),
            Check(name: "database is private", problem: mode(directory.database, 0o600)),
            Check(name: "root key is private", problem: mode(directory.rootKeySource.location, 0o600)),
            Check(name: "file system is local", problem: network),
            Check(
                name: "free space",
                problem: free > 4 * ReserveFile.bytes
                    ? nil : "\(free >> 20) MiB free; at least \(4 * ReserveFile.bytes >> 20) are required"),
        ]
    }

    private func database(_ directory: DataDirectory) async -> [Check] {
        let keys: NodeKeys
        do {
            keys = try directory.nodeKeys()
        } catch {
            return [Check(name: "root key opens the database", problem: "\(error)")]
        }
        var checks = [
            Check(name: "root key opens the database", problem: nil),
            Check(
                name: "no rotation is incomplete",
                problem: keys.root.ids.count == 1 ? nil : "run `clavitor-node root-key rotate --resume`"),
        ]
        do {
            let findings = try Inspection(path: directory.database, keys: keys).findings()
            checks.append(
                Check(
                    name: "database and audit log are intact",
                    problem: findings.isEmpty ? nil : findings.joined(separator: "; ")))
            let last = try Store.lastAuditTime(path: directory.database)
            checks.append(
                Check(
                    name: "clock",
                    problem: last <= unixTime() + 60
                        ? nil : "the last audit line is \(last - unixTime()) seconds in the future; set the clock"))
        } catch {
            checks.append(Check(name: "database and audit log are intact", problem: "\(error)"))
        }
        return checks
    }
}
