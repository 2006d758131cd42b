import ArgumentParser
import Console
import VaultFormat
import Wire

/// The options of commands that give the owner a new key holder: which kit and passkeys live on.
struct KeepOptions: ParsableArguments {
    @Option(
        name: .customLong("keep"),
        help: "Recovery kit or passkey to keep, by number, name or id (repeatable); none keeps none.")
    var kept: [String] = []

    @Flag(name: .customLong("new-kit"), help: "Create a new recovery kit. The present one ends.")
    var hasNewKit = false

    static let none = "none"
    /// In seconds. A thief who was in lately has a younger one.
    private static let ageToKeep: Int64 = 7 * 86_400
    private static let hint = """
        Add --keep NUMBER, NAME or ID for each that stays, --keep none, or --new-kit; `clavitor kit` and `clavitor passkey ls` \
        list them.
        """

    /// Decides from the options, otherwise asks for each credential.
    func decide(on present: [CredentialBody], _ terminal: Terminal) throws -> KeepDecision {
        if hasNewKit || !kept.isEmpty { return try named(present) }
        var decision = KeepDecision(kept: [], ended: [], newKit: nil)
        for credential in present {
            let isOld = Timestamp.now - credential.createdAt > Self.ageToKeep
            let question = "Keep \(credential.label), \(credential.dates)?"
            if try terminal.confirm(question, preset: isOld, otherwise: Self.hint) {
                decision.kept.append(credential)
            } else {
                decision.ended.append(credential)
            }
        }
        let isKitEnding = decision.ended.contains { $0.kind == "recovery" }
        if isKitEnding, try terminal.confirm("Create a new recovery kit?", preset: true, otherwise: Self.hint) {
            decision.newKit = NewKit()
        }
        return decision
    }

    private func named(_ present: [CredentialBody]) throws -> KeepDecision {
        var ids: Set<String> = []
        for name in kept where name != Self.none { ids.insert(try present.find(name).id) }
        guard ids.isEmpty || !kept.contains(Self.none) else {
            throw CommandFailure(.usage, "--keep none cannot be combined with another --keep.")
        }
        let kept = present.filter { ids.contains($0.id) }
        guard !hasNewKit || !kept.contains(where: { $0.kind == "recovery" }) else {
            throw CommandFailure(.usage, "A new kit ends the present one: leave out --new-kit, or --keep of the kit.")
        }
        return KeepDecision(
            kept: kept, ended: present.filter { !ids.contains($0.id) }, newKit: hasNewKit ? NewKit() : nil)
    }
}

/// What lives on and what ends with the owner's key holder.
struct KeepDecision: Sendable {
    var kept: [CredentialBody]
    var ended: [CredentialBody]
    var newKit: NewKit?
}

extension CredentialBody {
    /// The number that is printed on a kit; nil for a passkey.
    var kitNumber: String? { kind == "recovery" ? CredentialID(text: id)?.kitNumber : nil }

    /// For example `recovery kit 7Q2X-ABCD` or `passkey "MacBook"`.
    var label: String {
        if let kitNumber { return "recovery kit \(kitNumber)" }
        return "passkey \"\((details?.name ?? id).printable)\""
    }

    var dates: String {
        "made \(Timestamp.text(createdAt)), " + (lastUsedAt.map { "last used \(Timestamp.text($0))" } ?? "never used")
    }

    fileprivate func isCalled(_ name: String) -> Bool {
        id == name || kitNumber == name.uppercased() || details?.name == name
    }
}

extension [CredentialBody] {
    /// Finds a kit by its number or id, or a passkey by its name or id.
    func find(_ name: String) throws -> CredentialBody {
        let found = filter { $0.isCalled(name) }
        guard let first = found.first else {
            throw CommandFailure(
                .notFound, "There is no kit or passkey \(name.printable).",
                hint: "They are listed by: clavitor kit, clavitor passkey ls")
        }
        guard found.count == 1 else {
            throw CommandFailure(
                .conflict, "Several passkeys are called \(name.printable).",
                hint: "Give the id, as shown by: clavitor passkey ls")
        }
        return first
    }
}

extension SignedIn {
    /// The kit and the passkeys of the account, oldest first.
    func lastingCredentials() async throws -> [CredentialBody] {
        try await send(NodeRequest(.get, "api/v1/account/credentials"), as: CredentialListBody.self).credentials
    }
}

extension String {
    /// The text with its first letter in upper case.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
