import NIOCore
import NIOPosix

/// A question for the A records of a name (RFC 1035, section 4.1) to the server that has the zone, over TCP.
///
/// Neither question nor answer is signed. A forged answer makes a plan wrong, and nothing else: an update names all
/// addresses that shall stand, whatever stood.
struct AddressQuery {
    private static let recordA: UInt16 = 1
    private static let internet: UInt16 = 1
    private static let noSuchName: UInt16 = 3

    let id: UInt16
    let name: String

    /// Takes the name as it goes over the wire.
    func request(_ wireName: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for number in [id, 0, 1, 0, 0, 0] { buffer.writeInteger(number) }
        buffer.writeBytes(wireName)
        buffer.writeInteger(Self.recordA)
        buffer.writeInteger(Self.internet)
        return buffer
    }

    /// - Returns: Nil when the name has no A record.
    func read(_ answer: ByteBuffer) throws(AddressQueryError) -> RecordSet? {
        var answer = answer
        let header = try numbers(6, &answer)
        guard header[0] == id, header[1] >> 11 == 0b1_0000 else { throw .malformed(name) }
        guard header[1] & 0x0400 != 0 else { throw .notAuthoritative(name) }
        guard header[1] & 0x0200 == 0 else { throw .malformed(name) }
        switch header[1] & 0xf {
        case 0: break
        case Self.noSuchName: return nil
        case let code: throw .refused(name, Int(code))
        }
        for _ in 0..<header[2] {
            try skipName(&answer)
            _ = try numbers(2, &answer)
        }
        var set = RecordSet(addresses: [], ttl: .max)
        for _ in 0..<header[3] {
            try skipName(&answer)
            // Type, class, the lifetime's two halves, and how long the data is.
            let record = try numbers(5, &answer)
            guard record[0] == Self.recordA, record[1] == Self.internet, record[4] == 4 else { throw .alias(name) }
            guard let number = answer.readInteger(as: UInt32.self) else { throw .malformed(name) }
            set.addresses.insert(IPv4Address(number: number))
            set.ttl = min(set.ttl, Int(record[2]) << 16 | Int(record[3]))
        }
        return set.addresses.isEmpty ? nil : set
    }

    private func numbers(_ count: Int, _ buffer: inout ByteBuffer) throws(AddressQueryError) -> [UInt16] {
        var numbers: [UInt16] = []
        for _ in 0..<count {
            guard let number = buffer.readInteger(as: UInt16.self) else { throw .malformed(name) }
            numbers.append(number)
        }
        return numbers
    }

    /// A pointer ends a name (RFC 1035, section 4.1.4). Whose record it is need not be read: we asked for one name, and
    /// anything but its A records is refused.
    private func skipName(_ buffer: inout ByteBuffer) throws(AddressQueryError) {
        while true {
            guard let length = buffer.readInteger(as: UInt8.self) else { throw .malformed(name) }
            switch length {
            case 0: return
            case 1...0x3f: guard buffer.readSlice(length: Int(length)) != nil else { throw .malformed(name) }
            case 0xc0...0xff:
                guard buffer.readInteger(as: UInt8.self) != nil else { throw .malformed(name) }
                return
            default: throw .malformed(name)
            }
        }
    }
}

extension AddressQuery {
    /// Asks and waits; all of it takes at most `timeout`.
    static func ask(
        _ name: String, wireName: [UInt8], server: (host: String, port: Int), timeout: Duration
    ) async throws -> RecordSet? {
        let query = AddressQuery(id: .random(in: .min ... .max), name: name)
        let address = "\(server.host):\(server.port)"
        return try await withThrowingTaskGroup(of: RecordSet?.self) { tasks in
            tasks.addTask {
                do {
                    return try query.read(try await exchange(query.request(wireName), server, timeout))
                } catch let error as AddressQueryError {
                    throw error
                } catch {
                    throw AddressQueryError.unreachable(address, "\(error)")
                }
            }
            tasks.addTask {
                try await Task.sleep(for: timeout)
                throw AddressQueryError.unreachable(address, "no answer in time")
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
    }

    /// One message each way, with its length in front (RFC 1035, section 4.2.2).
    private static func exchange(
        _ request: ByteBuffer, _ server: (host: String, port: Int), _ timeout: Duration
    ) async throws -> ByteBuffer {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(timeout))
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            var message = ByteBuffer()
            message.writeInteger(UInt16(request.readableBytes))
            message.writeImmutableBuffer(request)
            try await outbound.write(message)
            var received = ByteBuffer()
            for try await part in inbound {
                received.writeImmutableBuffer(part)
                if let answer = received.readLengthPrefixedSlice(as: UInt16.self) { return answer }
            }
            throw ChannelError.eof
        }
    }
}

package enum AddressQueryError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreachable(String, String)
    case malformed(String)
    case notAuthoritative(String)
    case alias(String)
    case refused(String, Int)

    package var description: String {
        switch self {
        case .unreachable(let server, let why):
            "The name server \(server) cannot be asked over TCP: \(why). Check server in [dns] and its firewall."
        case .malformed(let name):
            "What came back for \(name) is no DNS answer. Check that a name server listens on server of [dns]."
        case .notAuthoritative(let name):
            "The server does not have the zone of \(name). Set server in [dns] to the zone's primary, not to a resolver."
        case .alias(let name):
            "\(name) has more than A records, an alias perhaps. Remove them by hand: a failover would not work."
        case .refused(let name, let code):
            "The name server does not answer for \(name) (code \(code)). Look into its log."
        }
    }
}
