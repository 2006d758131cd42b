/// Why a node could not be asked.
package enum SSHError: Error, Equatable, CustomStringConvertible, Sendable {
    case noHostKey(String)
    case pathTooLong(String)
    case spacesInPath(String)
    /// ssh itself failed: no connection, or one that broke.
    case unreachable(String, String)
    case wrongHostKey(String)
    /// The hub, through which a node is reached.
    case hub(String, String, String)
    /// The operator's key.
    case identity(String)
    case timedOut(String, Duration)
    /// The command on the node ended with that status.
    case failed(String, Int32, String)
    case notUnderstood(String, String)

    /// Nothing was sent: what is missing is missing here.
    package var isRefusal: Bool {
        switch self {
        case .noHostKey, .pathTooLong, .spacesInPath, .identity: true
        case .unreachable, .wrongHostKey, .hub, .timedOut, .failed, .notUnderstood: false
        }
    }

    package var description: String {
        switch self {
        case .noHostKey(let node):
            "\(node) has no host-key in the inventory. Read it on the provider's console "
                + "(cat /etc/ssh/ssh_host_ed25519_key.pub) and store it: clavitor-soc fleet set \(node) host-key \"ssh-ed25519 …\""
        case .pathTooLong(let directory):
            "\(directory) is too long for a socket's name. Give a shorter one: --state DIR"
        case .spacesInPath(let path):
            "\(path) has a space or a quote in it, which ssh does not take. Give another: --state DIR, or ssh-key in soc.toml"
        case .unreachable(let node, let why): "\(node) cannot be reached: \(why)"
        case .wrongHostKey(let node):
            "\(node) shows another host key than the inventory has. Somebody may be in between, or the machine is new: "
                + "compare it on the provider's console before the inventory is changed."
        case .hub(let hub, let node, let why): "\(node) cannot be reached because \(hub), the hub, cannot: \(why)"
        case .identity(let why): why
        case .timedOut(let node, let limit): "\(node) did not finish within \(limit.components.seconds) s"
        case .failed(let node, let status, let said): "\(node) ended with status \(status): \(said)"
        case .notUnderstood(let node, let why): "\(node) answered what this program does not understand: \(why)"
        }
    }
}
