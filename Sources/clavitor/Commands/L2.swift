import ArgumentParser
import Console
import VaultFormat
import Wire

struct L2: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manage the key of end-to-end encrypted (L2) values.", subcommands: [Rekey.self, Status.self])

    struct Rekey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the L2 key and encrypt every L2 value anew, or go on with that.",
            discussion: """
                For use after a password was compromised: the old keys open no value that is written from now on. Values \
                that may have been read must still be changed at their source. Replaces the recovery kit: the new one is \
                printed. Passkeys no longer open L2 values; remove them and add them again. Works entry by entry; if it \
                was interrupted, the same command goes on.
                """)

        @Flag(help: "Delete older versions of L2 values instead of encrypting them anew.")
        var dropHistory = false

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                var status = try await signedIn.l2Status()
                // The password first: on standard input it is the first line.
                _ = try await signedIn.passwordKeys()
                if status.generation > (try signedIn.owner().l2.generation) {
                    // This machine does not have the present key: the command was interrupted, or ran on another machine.
                    try await signedIn.renew(code: code.totp)
                    status = try await signedIn.l2Status()
                }
                if status.previous == nil {
                    try await begin(context, signedIn)
                } else {
                    context.terminal.note(
                        "Going on with generation \(status.generation) of the L2 key. It replaced the recovery kit; if the new one was not printed: clavitor kit new"
                    )
                }
                try await rekey(context, signedIn)
            }
        }

        /// Replaces the l2Key and the kit in one commit.
        private func begin(_ context: CommandContext, _ signedIn: SignedIn) async throws {
            let old = try await signedIn.l2Key()
            guard L2Key.generations.contains(old.generation + 1) else {
                throw CommandFailure(.failed, "There were too many L2 keys.")
            }
            let new = L2Key.generate(for: old.vault, generation: old.generation + 1)
            let l2 = new.body(for: try await signedIn.passwordKeys().l2WrapKey)
            let kit = NewKit()
            let recovery = kit.body(for: new, origin: try signedIn.owner().pins.origin)
            try await signedIn.proving(code) { proof in
                let body = L2RekeyBody(proof: proof, l2: l2, previous: new.text(ofPrevious: old), recovery: recovery)
                try await signedIn.send(NodeRequest(.put, "api/v1/account/l2", body: body))
            }
            try signedIn.adopt(l2)
            try context.show(
                KitOutput(kit), otherwise: "The old kit is replaced. Create another: clavitor kit new"
            ) {
                "The L2 key has generation \(new.generation)." + KitOutput.paragraph(kit)
            }
        }

        /// Rekeys all entries that have an older generation.
        private func rekey(_ context: CommandContext, _ signedIn: SignedIn) async throws {
            let rekeying = EntryRekeying(signedIn: signedIn, dropsHistory: dropHistory)
            let ids = try await signedIn.entriesToRekey()
            var (entries, values, dropped) = (0, 0, 0)
            var failures: [CommandFailure] = []
            for (index, id) in ids.enumerated() {
                do {
                    guard let done = try await rekeying.rekey(id) else { continue }
                    entries += 1
                    values += done.values
                    dropped += done.dropped
                    context.terminal.note("Entry \(index + 1) of \(ids.count) is encrypted anew.")
                } catch let failure as CommandFailure where failure.outcome != .unreachable {
                    // The others need not wait for it.
                    context.terminal.note(failure.message)
                    failures.append(failure)
                }
            }
            context.terminal.note(
                "Encrypted anew: entries \(entries), L2 values \(values)\(dropped == 0 ? "" : "; older values deleted: \(dropped)"). Compare with what you have: a node can leave entries out."
            )
            if let first = failures.first {
                throw CommandFailure(
                    first.outcome, "\(failures.count) of \(ids.count) entries still have their old key.",
                    hint: first.hint)
            }
            _ = try await signedIn.previousL2Key()
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the generation of the L2 key, and whether a rekey runs.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let status = try await signedIn.l2Status()
                let rest = status.previous == nil ? 0 : try await signedIn.entriesToRekey().count
                let output = L2StatusOutput(
                    generation: status.generation, isRekeying: status.previous != nil, entriesToRekey: rest)
                try context.show(output) {
                    "The L2 key has generation \(output.generation)."
                        + (output.isRekeying
                            ? " A rekey runs: \(rest) entries have their old key. To go on: clavitor l2 rekey" : "")
                }
            }
        }
    }
}

private struct L2StatusOutput: Encodable {
    let generation: Int
    let isRekeying: Bool
    let entriesToRekey: Int
}
