/// Why a provision does not start. The machine was not changed.
package enum ProvisionPreconditionError: PreconditionError, Equatable, Sendable {
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
            "\(path) has the SHA-256 \(shown), not \(expected). Review the script again, and use the hash of that version."
        case .underWay(let node): "Another provision of \(node) is running on this machine. Wait for its end."
        }
    }
}

/// Why a provision failed.
package enum ProvisionError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(String)
    case timedOut(String, String)
    case conversionFailed(String, String)
    case build(String)

    package var description: String {
        switch self {
        case .unreadable(let key):
            "The machine did not report its \(key). Check that it is a Linux system with the usual programs."
        case .timedOut(let node, let what):
            """
            \(node): \(what). Check the provider's console; then continue with `clavitor-soc provision`.
            """
        case .conversionFailed(let node, let message): "The conversion of \(node) failed: \(message)"
        case .build(let message): "The system could not be built or copied: \(message)"
        }
    }
}
