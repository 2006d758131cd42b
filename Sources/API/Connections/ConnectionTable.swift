import Auth
import IPNetworks
import NIOCore
import Synchronization
import Vault

/// What belongs to a TCP connection rather than to a request.
struct ClientConnection: Sendable {
    let address: IPAddress?
    /// Holders that were opened on it before.
    let holders: OpenHolders
}

/// Every connection that has sent a request. Entries go when their connection does.
final class ConnectionTable: Sendable {
    /// Requests find their connection's entry by the channel alone, so one table serves the process.
    static let shared = ConnectionTable()

    var count: Int { connections.withLock { $0.count } }

    private let connections = Mutex<[ObjectIdentifier: ClientConnection]>([:])

    func connection(of channel: any Channel) -> ClientConnection {
        let tcp = Self.tcpConnection(of: channel)
        let id = ObjectIdentifier(tcp)
        if let known = connections.withLock({ $0[id] }) { return known }
        let new = ClientConnection(
            address: tcp.remoteAddress.flatMap(IPAddress.init(socket:)), holders: OpenHolders())
        let first = connections.withLock { connections in
            // Another stream of the same connection may have come first.
            if let known = connections[id] { return known }
            connections[id] = new
            return new
        }
        if first.holders === new.holders {
            tcp.closeFuture.whenComplete { _ in
                self.connections.withLock { _ = $0.removeValue(forKey: id) }
            }
        }
        return first
    }

    /// An HTTP/2 stream's parent is its connection; a connection's parent is the listener, which has none.
    private static func tcpConnection(of channel: any Channel) -> any Channel {
        guard let parent = channel.parent, parent.parent != nil else { return channel }
        return parent
    }
}

extension IPAddress {
    init?(socket: SocketAddress) {
        // The text is all that NIO gives without touching raw memory.
        guard let text = socket.ipAddress else { return nil }
        self.init(text)
    }
}
