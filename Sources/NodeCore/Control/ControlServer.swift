import Files
import FoundationEssentials
import Glibc
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Answers commands of the operator over a Unix socket in the data directory, so that nothing but the node writes its database.
///
/// A connection has one request, which ends with the client's half of the stream, and its answer, both in JSON. The node's own user
/// and root may ask.
package struct ControlServer: Service {
    private let path: String
    private let handler: ControlHandler
    private let logger: Logger
    private static let mostBytes = 65_536
    /// Seconds within which a request must be complete.
    private static let patience: Int64 = 10

    package init(path: String, handler: ControlHandler, logger: Logger) {
        self.path = path
        self.handler = handler
        self.logger = logger
    }

    package func run() async throws {
        let server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
        do {
            server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 8)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
            try File.makePrivate(path)
        } catch {
            // The vaults are served all the same; commands then say that the node does not answer.
            logger.error("commands cannot reach the node", metadata: ["socket": "\(path)", "error": "\(error)"])
            return try await gracefulShutdown()
        }
        await cancelWhenGracefulShutdown {
            try? await server.executeThenClose { clients in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await client in clients { group.addTask { await serve(client) } }
                }
            }
        }
        File.remove(path)
    }

    private func serve(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let user = try? await client.channel.peerUser()
        // Closed by its time limit, a client that says nothing ends the loop below.
        let limit = client.channel.eventLoop.scheduleTask(in: .seconds(Self.patience)) {
            client.channel.close(promise: nil)
        }
        defer { limit.cancel() }
        do {
            try await client.executeThenClose { inbound, outbound in
                var request = Data()
                for try await part in inbound {
                    request += part.readableBytesView
                    guard request.count <= Self.mostBytes else { return }
                }
                limit.cancel()
                let answer = await answer(request, from: user)
                try await outbound.write(ByteBuffer(bytes: try JSONEncoder().encode(answer)))
            }
        } catch {
            logger.debug("a command went away", metadata: ["error": "\(error)"])
        }
    }

    private func answer(_ bytes: Data, from user: UInt32?) async -> ControlAnswer {
        guard let user, user == 0 || user == geteuid() else {
            logger.warning(
                "a command of another user was refused", metadata: ["user": "\(user.map(String.init) ?? "-")"])
            return .refused("The node answers its own user and root.")
        }
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: bytes) else {
            return .refused("The node does not know this request: command and node have different versions.")
        }
        logger.info("asked by a command", metadata: ["request": "\(request.name)", "user": "\(user)"])
        return await handler.answer(request, from: user)
    }
}

extension ControlRequest {
    fileprivate var name: String {
        switch self {
        case .backup: "backup"
        case .invite: "invite"
        case .verify: "verify"
        case .rootKey: "root-key"
        case .record: "record"
        }
    }
}

/// The kernel's `struct ucred`.
private struct PeerCredentials: Sendable {
    var process: Int32
    var user: UInt32
    var group: UInt32
}

extension Channel {
    /// The user at the other end of a Unix socket, as the kernel noted it at `connect` (unix(7), SO_PEERCRED).
    fileprivate func peerUser() async throws -> UInt32? {
        guard let provider = self as? any SocketOptionProvider else { return nil }
        let credentials: PeerCredentials = try await provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        ).get()
        return credentials.user
    }
}
