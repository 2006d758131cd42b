import NIOCore
import NIOPosix
import Outbound

/// Changes a zone by asking its primary name server (RFC 2136), and reads what stands in it, each time over a TCP
/// connection of its own.
package struct DNSUpdater: Sendable {
    private let server: (host: String, port: Int)
    private let zone: DNSName
    private let key: TSIGKey?
    private let timeout: Duration
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - server: The primary; a secondary may or may not forward.
    ///   - zone: The name at its top, where its SOA record is.
    ///   - key: Nil only for a server that decides by address. Its answers then prove nothing.
    ///   - timeout: For one question, from connecting to the whole answer.
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

    /// Makes all changes in this order, or none. Without changes, asks whether the server would take any.
    ///
    /// - Throws: `DNSUpdateError`, or `CancellationError`. Asking again is safe whatever it was.
    package func perform(_ changes: [Change]) async throws {
        let id = UInt16.random(in: .min ... .max)
        let request = try UpdateRequest(id: id, zone: zone, changes: changes, key: key, now: now())
        try request.verify(try await ask(request.bytes), now: now())
    }

    /// What the server has for a name of the zone.
    ///
    /// - Parameters:
    ///   - name: Whose.
    ///   - type: A or AAAA.
    /// - Returns: Nil when the name has no such record.
    /// - Throws: `DNSUpdateError`, or `CancellationError`.
    package func addresses(of name: DNSName, _ type: RecordType) async throws -> Addresses? {
        let query = try AddressQuery(id: .random(in: .min ... .max), name: name, type: type, key: key, now: now())
        return try query.read(try await ask(query.bytes), now: now())
    }

    /// Makes `values` the only TXT records of the name.
    package func setTXT(_ name: DNSName, _ values: [String], ttl: UInt32) async throws {
        try await perform([.removeSet(name, .txt)] + values.map { .add(name, ttl: ttl, .txt($0)) })
    }

    /// Leaves the name's other TXT records alone, which may belong to somebody else's challenge.
    package func removeTXT(_ name: DNSName, _ value: String) async throws {
        try await perform([.remove(name, .txt(value))])
    }

    private var address: String { "\(server.host):\(server.port)" }

    private func ask(_ request: [UInt8]) async throws -> [UInt8] {
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

    /// Sends and receives one message, each with its length in front (RFC 1035, section 4.2.2).
    private func exchange(_ request: [UInt8]) async throws -> [UInt8] {
        do {
            return try await connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: UInt16(request.count).bigEndianBytes + request))
                var received = ByteBuffer()
                // Throws when it is cancelled, and ends when the server hangs up.
                for try await part in inbound {
                    received.writeImmutableBuffer(part)
                    if let answer = received.readLengthPrefixedSlice(as: UInt16.self) { return [UInt8](buffer: answer) }
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

    /// Connecting cannot be cancelled, so it has the timeout too.
    private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(timeout))
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
            }
    }
}
