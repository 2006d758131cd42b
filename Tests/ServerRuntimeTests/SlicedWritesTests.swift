import NIOCore
import NIOEmbedded
import ServerRuntime
import Testing

/// The size of writes to TLS.
@Suite struct SlicedWritesTests {
    /// Records the bytes between two flushes.
    private final class Flushes: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        var bytes: [UInt8] = []
        var sizes = [0]

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let buffer = unwrapOutboundIn(data)
            bytes += buffer.readableBytesView
            sizes[sizes.count - 1] += buffer.readableBytes
            context.write(data, promise: promise)
        }

        func flush(context: ChannelHandlerContext) {
            sizes.append(0)
            context.flush()
        }
    }

    @Test(arguments: [
        [1_000_000], [0], [15_999, 1, 1], [16_000], [9_000, 9_000, 40_000], Array(repeating: 700, count: 100),
    ])
    func noMoreThanARecordAtATime(_ writes: [Int]) throws {
        let flushes = Flushes()
        let channel = EmbeddedChannel(handlers: [flushes, SlicedWrites()])
        var sent: [UInt8] = []
        var taken: [EventLoopFuture<Void>] = []
        for (number, count) in writes.enumerated() {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)
            sent += piece
            let promise = channel.eventLoop.makePromise(of: Void.self)
            taken.append(promise.futureResult)
            channel.pipeline.write(ByteBuffer(bytes: piece), promise: promise)
        }
        channel.pipeline.flush()
        #expect(flushes.bytes == sent)
        #expect(flushes.sizes.allSatisfy { $0 <= 16_000 })
        for future in taken { try future.wait() }
        _ = try channel.finish()
    }
}
