import Auth
import NIOCore
import Synchronization

/// What belongs to a TCP connection rather than to a request. Entries go when their connection does.
final class ConnectionTable: Sendable {
    /// Requests find their connection's entry by the channel alone, so one table serves the process.
    static let shared = ConnectionTable()

    private let connections = Mutex<[ObjectIdentifier: OpenHolders]>([:])

    func holders(on channel: any Channel) -> OpenHolders {
        let connection = Self.connection(of: channel)
        let id = ObjectIdentifier(connection)
        let (holders, isNew) = connections.withLock { connections in
            if let known = connections[id] { return (known, false) }
            let new = OpenHolders()
            connections[id] = new
            return (new, true)
        }
        if isNew {
            connection.closeFuture.whenComplete { _ in
                self.connections.withLock { _ = $0.removeValue(forKey: id) }
            }
        }
        return holders
    }

    /// An HTTP/2 stream's parent is its connection; a connection's parent is the listener, which has none.
    private static func connection(of channel: any Channel) -> any Channel {
        guard let parent = channel.parent, parent.parent != nil else { return channel }
        return parent
    }
}
