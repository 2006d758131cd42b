import ArgumentParser
import VaultFormat
import Wire

/// The options of `agent create` and `agent edit`.
struct AgentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A field, or with * all L1 fields of an entry. May be repeated.", valueName: "entry/field"))
    var grant: [String] = []

    @Option(
        name: .customLong("grant-tag"),
        help: ArgumentHelp(
            "Every entry with this tag: all L1 fields, or one. May be repeated.", valueName: "tag[/label]"))
    var grantTag: [String] = []

    @Option(help: "\(AgentVerb.allCases.map(\.rawValue).joined(separator: ", ")). May be repeated.")
    var verb: [String] = []

    @Option(help: ArgumentHelp("When it ends: 30d, 12h, 2026-12-31.", valueName: "when"))
    var expires: String?

    @Option(name: .customLong("not-before"), help: ArgumentHelp("When it begins.", valueName: "when"))
    var notBefore: String?

    @Option(help: ArgumentHelp("A network it works from, such as 192.0.2.0/24. May be repeated.", valueName: "network"))
    var cidr: [String] = []

    @Option(
        name: .customLong("max-uses"), help: ArgumentHelp("How often it may read or write in all.", valueName: "count"))
    var maxUses: String?

    @Option(help: ArgumentHelp("How often in a minute.", valueName: "count"))
    var rate: String?

    /// What the options say but for name, grants and verbs.
    func body(now: Int64) throws -> AgentWriteBody {
        for verb in verb where AgentVerb(rawValue: verb) == nil {
            throw CommandFailure(
                .usage, "\"\(verb)\" is no verb.",
                hint: "One of: \(AgentVerb.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return AgentWriteBody(
            notBefore: try Self.limit(notBefore, "--not-before", "30d, 12h or 2026-12-31") {
                Moment.parse($0, now: now)
            },
            expiresAt: try Self.limit(expires, "--expires", "30d, 12h or 2026-12-31") { Moment.parse($0, now: now) },
            cidr: cidr.isEmpty ? nil : cidr.filter { $0 != "none" },
            maxUses: try Self.limit(maxUses, "--max-uses", "a number from 1") { Self.count($0) },
            ratePerMinute: try Self.limit(rate, "--rate", "a number from 1") { Self.count($0) })
    }

    private static func limit<Value>(
        _ text: String?, _ option: String, _ example: String, _ parse: (String) -> Value?
    ) throws -> AgentWriteBody.Limit<Value> {
        guard let text else { return .unchanged }
        if text == "none" { return .none }
        guard let value = parse(text) else {
            throw CommandFailure(.usage, "\(option) \(text) cannot be read.", hint: "It takes \(example), or none.")
        }
        return .some(value)
    }

    private static func count(_ text: String) -> Int? {
        Int(text).flatMap { $0 > 0 ? $0 : nil }
    }
}
