/// Why a command on a node failed.
package enum SSHError: Error, Equatable, CustomStringConvertible, Sendable {
    case noHostKey(String)
    case pathTooLong(String)
    case spacesInPath(String)
    /// ssh itself failed: no connection, or a broken one.
    case unreachable(String, String)
    case wrongHostKey(String)
    /// The hub, through which a node is reached.
    case hub(String, String, String)
    /// The operator's key.
    case identity(String)
    case timedOut(String, Duration)
    /// The command on the node failed with this status.
    case failed(String, Int32, String)
    case invalidOutput(String, String)

    /// Whether the cause is on this machine, and nothing was sent.
    package var isPreconditionError: Bool {
        switch self {
        case .noHostKey, .pathTooLong, .spacesInPath, .identity: true
        case .unreachable, .wrongHostKey, .hub, .timedOut, .failed, .invalidOutput: false
        }
    }

    package var description: String {
        switch self {
        case .noHostKey(let node):
            "\(node) has no host-key in the inventory. Read it on the provider's console "
                + "(cat /etc/ssh/ssh_host_ed25519_key.pub) and store it: clavitor-soc fleet set \(node) host-key \"ssh-ed25519 …\""
        case .pathTooLong(let directory):
            "\(directory) is too long for the path of a socket. Use a shorter one: --state DIR"
        case .spacesInPath(let path):
            "\(path) must not contain spaces or quotes. Use another path: --state DIR, or ssh-key in soc.toml"
        case .unreachable(let node, let why): "\(node) cannot be reached: \(why)"
        case .wrongHostKey(let node):
            "\(node) presents another host key than the inventory has. This may be an attack, or the machine is new: "
                + "compare the key on the provider's console before you change the inventory."
        case .hub(let hub, let node, let why): "\(node) cannot be reached because \(hub), the hub, cannot: \(why)"
        case .identity(let why): why
        case .timedOut(let node, let limit): "\(node) did not finish within \(limit.components.seconds) s"
        case .failed(let node, let status, let said): "\(node) ended with status \(status): \(said)"
        case .invalidOutput(let node, let why): "The output of \(node) is invalid: \(why)"
        }
    }
}
