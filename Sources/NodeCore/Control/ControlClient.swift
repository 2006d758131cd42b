import Files
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import ServerRuntime

extension DataDirectory {
    /// Answers a request by the node that serves this directory, or by this process while none does.
    ///
    /// - Throws: `Failure` when the node refuses, or does not answer.
    package func ask(_ request: ControlRequest) async throws -> ControlAnswer {
        try requireVault()
        let answer: ControlAnswer
        if try tryLock() {
            answer = await ControlHandler(node: try Node(offline: self)).answer(request, from: geteuid())
        } else {
            answer = try await askRunningNode(request)
        }
        if case .refused(let reason) = answer { throw Failure(reason) }
        return answer
    }

    private func askRunningNode(_ request: ControlRequest) async throws -> ControlAnswer {
        do {
            let channel = try await connect()
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: try JSONEncoder().encode(request)))
                outbound.finish()
                var answer = Data()
                for try await part in inbound { answer += part.readableBytesView }
                return try JSONDecoder().decode(ControlAnswer.self, from: answer)
            }
        } catch {
            throw Failure(
                """
                Another clavitor-node uses \(path) and does not answer at \(controlSocket). Wait until it has started or \
                ended, ask as its user or as root, or stop it.
                """)
        }
    }

    private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        var attempts = 20
        while true {
            do {
                return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(unixDomainSocketPath: controlSocket) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                                wrappingChannelSynchronously: channel,
                                configuration: .init(isOutboundHalfClosureEnabled: true))
                        }
                    }
            } catch  where attempts > 0 {
                // A node that is starting has the lock before its socket.
                attempts -= 1
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
