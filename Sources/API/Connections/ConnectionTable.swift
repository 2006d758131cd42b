import Auth
import IPNetworks
import NIOCore
import Synchronization
import Vault

/// State of a TCP connection that its requests share.
struct ClientConnection: Sendable {
    let address: IPAddress?
    /// Key holders already opened on this connection.
    let holders: OpenHolders
}

/// Tracks every open connection that has sent a request.
final class ConnectionTable: Sendable {
    /// One table per process: a request finds its connection by the channel alone.
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
            // Another stream of the same connection may have been first.
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
        // NIO gives nothing but text without raw memory access.
        guard let text = socket.ipAddress else { return nil }
        self.init(text)
    }
}
