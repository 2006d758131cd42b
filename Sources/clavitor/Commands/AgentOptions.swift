import ArgumentParser
import VaultFormat
import Wire

/// The options of `agent create` and `agent edit`.
struct AgentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Grant of a field, or of all L1 fields of an entry with *. Repeatable.", valueName: "entry/field"))
    var grant: [String] = []

    @Option(
        name: .customLong("grant-tag"),
        help: ArgumentHelp(
            "Grant of all L1 fields, or one, of every entry with the tag. Repeatable.", valueName: "tag[/label]"))
    var grantTag: [String] = []

    @Option(help: "Allowed operation: \(AgentVerb.allCases.map(\.rawValue).joined(separator: ", ")). Repeatable.")
    var verb: [String] = []

    @Option(help: ArgumentHelp("Expiry: 30d, 12h or 2026-12-31.", valueName: "when"))
    var expires: String?

    @Option(name: .customLong("not-before"), help: ArgumentHelp("Start of validity.", valueName: "when"))
    var notBefore: String?

    @Option(help: ArgumentHelp("Allowed network, such as 192.0.2.0/24. Repeatable.", valueName: "network"))
    var cidr: [String] = []

    @Option(
        name: .customLong("max-uses"),
        help: ArgumentHelp("Maximum number of reads and writes in total.", valueName: "count"))
    var maxUses: String?

    @Option(help: ArgumentHelp("Maximum number of reads and writes per minute.", valueName: "count"))
    var rate: String?

    /// The request body from the options, without name, grants and verbs.
    func body(now: Int64) throws -> AgentWriteBody {
        for verb in verb where AgentVerb(rawValue: verb) == nil {
            throw CommandFailure(
                .usage, "\"\(verb)\" is not a verb.",
                hint: "One of: \(AgentVerb.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return AgentWriteBody(
            notBefore: try Self.limit(notBefore, "--not-before", "30d, 12h or 2026-12-31") {
                Timestamp.parse($0, now: now)
            },
            expiresAt: try Self.limit(expires, "--expires", "30d, 12h or 2026-12-31") { Timestamp.parse($0, now: now) },
            cidr: cidr.isEmpty ? nil : cidr.filter { $0 != "none" },
            maxUses: try Self.limit(maxUses, "--max-uses", "an integer from 1") { Self.count($0) },
            ratePerMinute: try Self.limit(rate, "--rate", "an integer from 1") { Self.count($0) })
    }

    private static func limit<Value>(
        _ text: String?, _ option: String, _ example: String, _ parse: (String) -> Value?
    ) throws -> AgentWriteBody.Limit<Value> {
        guard let text else { return .unchanged }
        if text == "none" { return .none }
        guard let value = parse(text) else {
            throw CommandFailure(.usage, "\(option) must be \(example), or none; not \(text).")
        }
        return .some(value)
    }

    private static func count(_ text: String) -> Int? {
        Int(text).flatMap { $0 > 0 ? $0 : nil }
    }
}
