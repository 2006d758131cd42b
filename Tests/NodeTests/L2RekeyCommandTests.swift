import Foundation
import SQLite
import TestSupport
import Testing

/// `clavitor l2 rekey` as a process, killed at each of its steps, as is the node. Afterwards every value opens, and the same command
/// goes on.
@Suite(.timeLimit(.minutes(15))) struct L2RekeyCommandTests {
    private static let entries = 4
    private let scratch: Scratch
    private let node: ServedNode
    private let me: Program
    private let password: String

    init() throws {
        scratch = try Scratch()
        node = try ServedNode(in: scratch)
        (me, password) = try node.registered(scratch)
        for number in 0..<Self.entries {
            let value = try scratch.write("value-\(number)", to: "value")
            try ok(["add", "entry-\(number)", "--username", "ada", "--l2", "pin=@\(value)"])
        }
        // A history, and an entry in the trash.
        try ok(["edit", "entry-0", "--l2", "pin=@\(try scratch.write("newer-0", to: "value"))"])
        try ok(["rm", "entry-3"])
    }

    private func end() {
        node.stop()
        scratch.remove()
    }

    private var proof: [String] { ["--password-file", password] }

    @discardableResult
    private func ok(_ arguments: [String], as program: Program? = nil) throws -> Program.Result {
        let result = try (program ?? me).run(arguments + proof)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    /// Reads every value, on this machine and on one that was never here.
    private func expectAllValues(_ comment: Comment) throws {
        let stranger = node.person(scratch, UUID().uuidString)
        let place = ["--server", node.url, "--ca-file", node.certificate, "--email", ServedNode.address]
        try ok(["login"] + place, as: stranger)
        // A killed command may have left this machine with the former key; signing in gets the present one.
        try ok(["login"])
        let values = [
            "entry-0/pin": "newer-0", "entry-1/pin": "value-1", "entry-2/pin": "value-2", "entry-1/username": "ada",
        ]
        let bindings = values.keys.sorted().enumerated().flatMap { ["--env", "V\($0.offset)=\($0.element)"] }
        for program in [stranger, me] {
            let read = try program.run(["run"] + bindings + proof + ["--", "/usr/bin/env"])
            let lines = Set(read.output.split(separator: "\n").map(String.init))
            for (number, path) in values.keys.sorted().enumerated() {
                #expect(lines.contains("V\(number)=\(values[path] ?? "")"), "\(path): \(comment): \(read.errors)")
            }
        }
        #expect(try ok(["get", "entry-0/pin", "--version", "1"]).output == "value-0", comment)
    }

    private struct Status: Equatable, Decodable {
        var generation: Int
        var isRekeying: Bool
        var entriesToRekey: Int
    }

    private func status() throws -> Status {
        let output = try ok(["l2", "status", "--json"]).output
        return try JSONDecoder().decode(Status.self, from: Data(output.utf8))
    }

    private func finish() throws {
        try ok(["login"])
        if try status().isRekeying { try ok(["l2", "rekey"]) }
        let done = try status()
        #expect(!done.isRekeying && done.entriesToRekey == 0)
        try ok(["restore", "entry-3"])
        #expect(try ok(["get", "entry-3/pin"]).output == "value-3")
        try ok(["rm", "entry-3"])
    }

    private static func progress(_ process: RunningTool) -> Int {
        process.errors.matches(of: /is encrypted anew/).count
    }

    /// Starts a rekey and waits for its step: 0 is before the first request, 1 the new key, then each entry.
    ///
    /// - Returns: The process, which may have ended already.
    private func rekey(to step: Int) throws -> RunningTool {
        let process = try me.start(["l2", "rekey"] + proof)
        guard step > 0 else { return process }
        try? process.wait { process in
            step == 1 ? process.output.contains("clv_kit_") : Self.progress(process) >= step - 1
        }
        return process
    }

    @Test func aRekeyReplacesTheKitAndReportsWhatItDid() throws {
        defer { end() }
        let done = try ok(["l2", "rekey"])
        #expect(done.output.contains("clv_kit_"))
        #expect(done.errors.contains("entries \(Self.entries), L2 values 5"), "\(done.errors)")
        #expect(try status() == Status(generation: 2, isRekeying: false, entriesToRekey: 0))
        try expectAllValues("after a rekey")
        let file = try Connection(path: "\(node.data)/clavitor.db", access: .readWrite)
        let generations = try file.all("SELECT DISTINCT g FROM l2_entry") { $0.int(0) }
        #expect(generations == [2])
        // An edit, a new entry and an older version under the new key.
        try ok(["edit", "entry-1", "--l2", "pin=@\(try scratch.write("newer-1", to: "value"))"])
        try ok(["add", "new", "--l2", "pin=@\(try scratch.write("value-new", to: "value"))"])
        try ok(["restore", "entry-1", "--version", "1"])
        #expect(try ok(["get", "entry-1/pin"]).output == "value-1")
        #expect(try ok(["get", "new/pin"]).output == "value-new")
        let dropped = try ok(["l2", "rekey", "--drop-history"])
        #expect(dropped.errors.contains("older values deleted"), "\(dropped.errors)")
        #expect(try me.run(["get", "entry-0/pin", "--version", "1"] + proof).status != 0)
        #expect(try ok(["get", "entry-0/pin"]).output == "newer-0")
    }

    @Test func aKilledClientLeavesEveryValueReadable() throws {
        defer { end() }
        for step in 0...(Self.entries + 1) {
            let process = try rekey(to: step)
            process.kill()
            try expectAllValues("the client was killed at step \(step)")
        }
        try finish()
    }

    @Test func aKilledNodeLeavesEveryValueReadable() throws {
        defer { end() }
        for step in 0...(Self.entries + 1) {
            let process = try rekey(to: step)
            node.kill()
            process.waitUntilExit()
            try node.restart()
            try expectAllValues("the node was killed at step \(step)")
        }
        try finish()
    }

    @Test func anEditDuringARekeyReachesTheEntryFirst() throws {
        defer { end() }
        let process = try rekey(to: 1)
        process.kill()
        try ok(["login"])
        guard try status().isRekeying else { return try finish() }
        for number in 0..<3 {
            try ok(["edit", "entry-\(number)", "--l2", "other=@\(try scratch.write("other-\(number)", to: "value"))"])
            #expect(try ok(["get", "entry-\(number)/other"]).output == "other-\(number)")
        }
        try expectAllValues("after edits")
        #expect(try status().entriesToRekey <= 1)
        try finish()
    }

    /// Two machines of one owner: the other's session ended, so it signs in again; then both go on.
    @Test func twoClientsRekeyAtOnce() throws {
        defer { end() }
        let other = node.person(scratch, "other")
        let first = try rekey(to: 1)
        try ok(
            ["login", "--server", node.url, "--ca-file", node.certificate, "--email", ServedNode.address], as: other)
        let second = try other.start(["l2", "rekey"] + proof)
        first.waitUntilExit()
        second.waitUntilExit()
        try ok(["login"])
        try expectAllValues("two clients")
        try finish()
    }

    /// Without memory of the other machine's rekey this one must not write.
    @Test func anotherMachineSignsInAgain() throws {
        defer { end() }
        let other = node.person(scratch, "other")
        let place = ["--server", node.url, "--ca-file", node.certificate, "--email", ServedNode.address]
        try ok(["login"] + place, as: other)
        try ok(["l2", "rekey"])
        let stale = try other.run(["get", "entry-1/pin"] + proof)
        #expect(stale.status != 0 && stale.errors.contains("clavitor login"), "\(stale.errors)")
        try ok(["login"] + place, as: other)
        #expect(try ok(["get", "entry-1/pin"], as: other).output == "value-1")
    }

    /// A removal without the password is told about, and the next change of an L2 field confirms it.
    @Test func aFieldThatWasRemovedWithoutThePasswordIsReported() throws {
        defer { end() }
        try ok(["edit", "entry-1", "--l2", "second=@\(try scratch.write("s", to: "value"))"])
        let removed = try me.run(["edit", "entry-1", "--remove", "second"])
        #expect(removed.status == 0, "\(removed.errors)")
        #expect(try ok(["get", "entry-1/pin"]).errors.contains("removed without the password"))
        try ok(["edit", "entry-1", "--l2", "pin=@\(try scratch.write("again", to: "value"))"])
        let read = try ok(["get", "entry-1/pin"])
        #expect(read.output == "again" && !read.errors.contains("removed"))
    }
}
