import NIOCore
import NIOPosix
import Outbound

/// Changes a zone through dynamic updates to its primary name server (RFC 2136), and reads addresses from it. Each request
/// has its own TCP connection.
package struct DNSUpdater: Sendable {
    private let server: (host: String, port: Int)
    private let zone: DNSName
    private let key: TSIGKey?
    private let timeout: Duration
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - server: The primary; a secondary may or may not forward.
    ///   - zone: The zone's apex, which has the SOA record.
    ///   - key: Nil only for a server that authorises by address. Its responses are then unauthenticated.
    ///   - timeout: For one request, from connecting to the complete response.
    ///   - now: Seconds since 1970.
    package init(
        server: (host: String, port: Int), zone: DNSName, key: TSIGKey?, timeout: Duration = .seconds(10),
        now: @escaping @Sendable () -> Int64
    ) {
        self.server = server
        self.zone = zone
        self.key = key
        self.timeout = timeout
        self.now = now
    }

    /// Makes all changes in this order, or none. Without changes, checks whether the server accepts updates.
    ///
    /// - Throws: `DNSUpdateError`, or `CancellationError`. Retrying is safe after any error.
    package func perform(_ changes: [Change]) async throws {
        let id = UInt16.random(in: .min ... .max)
        let request = try UpdateRequest(id: id, zone: zone, changes: changes, key: key, now: now())
        try request.verify(try await exchangeWithTimeout(request.bytes), now: now())
    }

    /// Reads the addresses of a name in the zone.
    ///
    /// - Parameters:
    ///   - name: The name to query.
    ///   - type: A or AAAA.
    /// - Returns: Nil if the name has no such record.
    /// - Throws: `DNSUpdateError`, or `CancellationError`.
    package func addresses(of name: DNSName, _ type: RecordType) async throws -> Addresses? {
        let query = try AddressQuery(id: .random(in: .min ... .max), name: name, type: type, key: key, now: now())
        return try query.read(try await exchangeWithTimeout(query.bytes), now: now())
    }

    /// Removes one TXT record. Keeps the others, which may belong to another challenge.
    package func removeTXT(_ name: DNSName, _ value: String) async throws {
        try await perform([.remove(name, .txt(value))])
    }

    private var address: String { "\(server.host):\(server.port)" }

    private func exchangeWithTimeout(_ request: [UInt8]) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8].self) { tasks in
            tasks.addTask { try await exchange(request) }
            tasks.addTask {
                try await Task.sleep(for: timeout)
                throw DNSUpdateError.timedOut(server: address)
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? []
        }
    }

    /// Sends and receives one message, each with a length prefix (RFC 1035, section 4.2.2).
    private func exchange(_ request: [UInt8]) async throws -> [UInt8] {
        do {
            return try await connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: UInt16(request.count).bigEndianBytes + request))
                var received = ByteBuffer()
                // Throws on cancellation, and ends when the server closes the connection.
                for try await part in inbound {
                    received.writeImmutableBuffer(part)
                    if let response = received.readLengthPrefixedSlice(as: UInt16.self) {
                        return [UInt8](buffer: response)
                    }
                }
                throw DNSUpdateError.closed(server: address)
            }
        } catch let error as DNSUpdateError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch ChannelError.connectTimeout {
            throw DNSUpdateError.timedOut(server: address)
        } catch {
            throw DNSUpdateError.unreachable(server: address, reason: "\(TransportFault(error))")
        }
    }

    /// Connecting cannot be cancelled, so it has its own timeout.
    private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(timeout))
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
            }
    }
}
