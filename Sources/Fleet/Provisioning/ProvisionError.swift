/// Why a machine is not touched.
package enum ProvisionRefusal: Refusal, Equatable, Sendable {
    case unfit(String, [String])
    case notReady(String, [String])
    case otherScript(String, shown: String, expected: String)
    case underWay(String)

    package var description: String {
        switch self {
        case .unfit(let node, let problems):
            "The machine for \(node) cannot be converted: \(problems.joined(separator: "; ")). Nothing was changed."
        case .notReady(let node, let missing):
            "\(node) cannot be provisioned yet: \(missing.joined(separator: "; ")). Nothing was changed."
        case .otherScript(let path, let shown, let expected):
            "\(path) has the SHA-256 \(shown), not \(expected). Read it again, and give the one that you have read."
        case .underWay(let node): "Another provision of \(node) is under way on this machine. Wait for its end."
        }
    }
}

/// What went wrong on the way.
package enum ProvisionError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(String)
    case timedOut(String, String)
    case conversionFailed(String, String)
    case build(String)

    package var description: String {
        switch self {
        case .unreadable(let key): "The machine did not say its \(key). Is it a Debian with the usual programs?"
        case .timedOut(let node, let what):
            """
            \(node): \(what). Look at the provider's console; then `clavitor-soc provision` goes on where it stopped.
            """
        case .conversionFailed(let node, let said): "The conversion of \(node) failed: \(said)"
        case .build(let said): "The system could not be built or copied: \(said)"
        }
    }
}
