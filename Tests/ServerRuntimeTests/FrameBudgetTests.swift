import NIOCore
import NIOEmbedded
import ServerRuntime
import Testing

/// Small HTTP/2 frames are counted before decoding.
@Suite struct FrameBudgetTests {
    private let channel = EmbeddedChannel(handler: FrameBudget())
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    init() throws {
        try channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
    }

    private static func frame(_ kind: UInt8, _ length: Int) -> [UInt8] {
        [0, UInt8(length >> 8), UInt8(length & 255), kind, 0, 0, 0, 0, 1] + Array(repeating: 7, count: length)
    }

    /// Sends `bytes` in pieces. Returns whether all of them passed.
    private func isTaken(_ bytes: [UInt8], pieces: Int = 16_384) throws -> Bool {
        var arrived = 0
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)]))
            channel.embeddedEventLoop.run()
            arrived += try channel.readInbound(as: ByteBuffer.self)?.readableBytes ?? 0
            guard channel.isActive else { return false }
        }
        return arrived == bytes.count
    }

    struct Frames: CustomTestStringConvertible {
        let kind: UInt8
        let length: Int
        let count: Int
        let isTaken: Bool
        var testDescription: String { "\(count) frames of kind \(kind) with \(length) bytes" }
    }

    @Test(
        arguments: [
            Frames(kind: 0, length: 1, count: 500, isTaken: true),
            Frames(kind: 0, length: 1, count: 600, isTaken: false),
            Frames(kind: 0, length: 0, count: 600, isTaken: false),
            Frames(kind: 0, length: 63, count: 600, isTaken: false),
            Frames(kind: 0, length: 64, count: 5_000, isTaken: true),
            Frames(kind: 0, length: 16_384, count: 300, isTaken: true),
            Frames(kind: 8, length: 4, count: 600, isTaken: false),
            Frames(kind: 6, length: 8, count: 600, isTaken: false),
            Frames(kind: 9, length: 1, count: 600, isTaken: false),
            Frames(kind: 1, length: 20, count: 5_000, isTaken: true),
        ], [16_384, 10])
    func frames(_ frames: Frames, pieces: Int) throws {
        let bytes = Self.preface + (0..<frames.count).flatMap { _ in Self.frame(frames.kind, frames.length) }
        #expect(try isTaken(bytes, pieces: frames.length > 1_000 ? 16_384 : pieces) == frames.isTaken)
    }

    /// The count does not depend on fragmentation: 512 frames pass, the next one does not.
    @Test(arguments: 1...40) func isCountedInAnyFragmentation(_ pieces: Int) throws {
        let start = Self.preface + (0..<512).flatMap { _ in Self.frame(0, 3) }
        #expect(try isTaken(start, pieces: pieces))
        #expect(try !isTaken(Self.frame(0, 3)))
    }

    /// Long responses need many window updates, which are allowed.
    @Test func responsesAllowWindowUpdates() throws {
        #expect(try isTaken(Self.preface))
        for _ in 0..<200 {
            #expect(try isTaken(Self.frame(1, 30)))
            try channel.writeOutbound(IOData.byteBuffer(ByteBuffer(repeating: 0, count: 100_000)))
            let updates = (0..<100).flatMap { _ in Self.frame(8, 4) }
            #expect(try isTaken(updates))
        }
    }

    @Test func timeAllowsPings() throws {
        #expect(try isTaken(Self.preface + (0..<512).flatMap { _ in Self.frame(6, 8) }))
        for _ in 0..<100 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            #expect(try isTaken((0..<16).flatMap { _ in Self.frame(6, 8) }))
        }
        #expect(try !isTaken(Self.frame(6, 8)))
    }
}

/// An HTTP/1.1 decoder gets no input after a stop.
@Suite struct SlicedReadsTests {
    private final class Sink: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let most: Int
        var taken: [UInt8] = []
        init(most: Int) { self.most = most }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            taken += unwrapInboundIn(data).readableBytesView
            if taken.count >= most { context.triggerUserOutboundEvent(SlicedReads.Stop(), promise: nil) }
        }
    }

    @Test(arguments: [0, 1, 1_023, 1_024, 1_025, 16_384]) func everythingArrivesInOrder(_ count: Int) throws {
        let sink = Sink(most: .max)
        let channel = EmbeddedChannel(handlers: [SlicedReads(), sink])
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        #expect(sink.taken == bytes)
    }

    @Test func nothingIsPassedAfterAStop() throws {
        let sink = Sink(most: 2_000)
        let channel = EmbeddedChannel(handlers: [SlicedReads(), sink])
        try channel.writeInbound(ByteBuffer(repeating: 1, count: 16_384))
        try channel.writeInbound(ByteBuffer(repeating: 1, count: 16_384))
        #expect(sink.taken.count == 2_048)
    }
}
