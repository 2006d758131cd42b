import NIOCore
import NIOEmbedded
import ServerRuntime
import Testing

/// Admission, waiting and eviction of connections at their limits.
@Suite(.timeLimit(.minutes(1))) struct ConnectionsTests {
    private static func limits(
        _ connections: Int = 4, perNetwork: Int = 4, held: Int = 1_000, heldEach: Int = 100
    ) -> ConnectionLimits {
        var limits = ConnectionLimits(connections: connections, connectionsPerNetwork: perNetwork)
        limits.heldBytes = held
        limits.heldBytesPerConnection = heldEach
        return limits
    }

    private func channel(_ address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
        try channel.connect(to: try SocketAddress(ipAddress: address, port: 1)).wait()
        return channel
    }

    /// Whether each channel is open after its event loop has run.
    private func areOpen(_ channels: [EmbeddedChannel]) -> [Bool] {
        channels.map { channel in
            channel.embeddedEventLoop.run()
            return channel.isActive
        }
    }

    private func close(_ channel: EmbeddedChannel) {
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }

    @Test func aNetworkIsLimited() throws {
        let connections = Connections(Self.limits(10, perNetwork: 2))
        let admitted = try ["192.0.2.1", "192.0.2.77", "192.0.2.200", "192.0.3.1"].map {
            connections.admit(try channel($0))
        }
        #expect(admitted == [true, true, false, true])
    }

    @Test func oneIPv6NetworkIsA64() throws {
        let connections = Connections(Self.limits(10, perNetwork: 1))
        let admitted = try ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"].map {
            connections.admit(try channel($0))
        }
        #expect(admitted == [true, false, true])
    }

    /// The work of a request counts until it ends, even if its stream or connection is closed.
    @Test func handledRequestsCountBeyondTheirConnection() throws {
        var limits = Self.limits(10, perNetwork: 10)
        limits.inFlight = 3
        limits.inFlightPerNetwork = 2
        limits.inFlightGuaranteed = 0
        let connections = Connections(limits)
        let (first, second, other) = (
            try channel("192.0.2.1"), try channel("192.0.2.2"), try channel("198.51.100.1")
        )
        for channel in [first, second, other] { #expect(connections.admit(channel)) }
        let one = try #require(connections.beginHandling(on: first))
        let two = try #require(connections.beginHandling(on: second))
        close(first)
        #expect(connections.beginHandling(on: second) == nil)
        let three = try #require(connections.beginHandling(on: other))
        #expect(connections.beginHandling(on: other) == nil)
        #expect(connections.inFlight == 3)
        for work in [one, two, three] { connections.endHandling(work) }
        #expect(connections.inFlight == 0)
        #expect(connections.beginHandling(on: second) != nil)
    }

    /// Two networks that reach the limit do not block a third one.
    @Test func aNetworkWithFewRequestsIsServedUnderOverload() throws {
        var limits = Self.limits(10, perNetwork: 10)
        limits.inFlight = 4
        limits.inFlightPerNetwork = 2
        limits.inFlightGuaranteed = 1
        let connections = Connections(limits)
        let all = try ["192.0.2.1", "198.51.100.1", "203.0.113.1"].map { try channel($0) }
        for channel in all { #expect(connections.admit(channel)) }
        for channel in all.prefix(2) {
            for _ in 0..<2 { #expect(connections.beginHandling(on: channel) != nil) }
            #expect(connections.beginHandling(on: channel) == nil)
        }
        #expect(connections.beginHandling(on: all[2]) != nil)
        #expect(connections.beginHandling(on: all[2]) == nil)
    }

    /// A waiting stream resumes when it is reset.
    @Test func aWaitingRequestResumesWhenItsStreamCloses() async throws {
        let connections = Connections(Self.limits(heldEach: 100))
        let (tcp, stream) = (try await asyncChannel(), try await asyncChannel())
        #expect(connections.admit(tcp))
        connections.hold(150, for: try #require(connections.begin(on: tcp, cost: 0)), on: tcp)
        async let room: Void = connections.waitForCapacity(on: tcp, for: stream)
        try await stream.close()
        await stream.testingEventLoop.run()
        await room
        #expect(connections.isFull(tcp))
    }

    @Test func aClosedConnectionFreesItsNetworksLimit() throws {
        let connections = Connections(Self.limits(10, perNetwork: 1))
        let first = try channel("192.0.2.1")
        #expect(connections.admit(first))
        close(first)
        #expect(connections.admit(try channel("192.0.2.2")))
        #expect(connections.count == 1)
    }

    @Test func aFullTableClosesTheLongestIdleConnection() throws {
        let connections = Connections(Self.limits(3))
        let channels = try (1...3).map { try channel("192.0.\($0).1") }
        for channel in channels { #expect(connections.admit(channel)) }
        // The first has a request under way, the second had one since the third came.
        let first = try #require(connections.begin(on: channels[0], cost: 1))
        let second = try #require(connections.begin(on: channels[1], cost: 1))
        connections.end(second, on: channels[1])
        #expect(connections.admit(try channel("192.0.4.1")))
        #expect(areOpen(channels) == [true, true, false])
        #expect(connections.count == 3)
        connections.end(first, on: channels[0])
    }

    @Test func aFullBusyTableClosesTheOldestRequestOfTheHeaviestNetwork() throws {
        let connections = Connections(Self.limits(3))
        let channels = try ["192.0.2.1", "192.0.2.2", "192.0.3.1"].map { try channel($0) }
        for channel in channels {
            #expect(connections.admit(channel))
            _ = connections.begin(on: channel, cost: 10)
        }
        #expect(connections.admit(try channel("192.0.4.1")))
        #expect(areOpen(channels) == [false, true, true])
    }

    @Test func onlyTheHeaviestNetworkIsClosed() throws {
        let connections = Connections(Self.limits(held: 1_000))
        let honest = try channel("192.0.2.1")
        let greedy = try ["192.0.3.1", "192.0.3.2", "192.0.3.3"].map { try channel($0) }
        for channel in [honest] + greedy { #expect(connections.admit(channel)) }
        let number = try #require(connections.begin(on: honest, cost: 200))
        for channel in greedy {
            let number = try #require(connections.begin(on: channel, cost: 0))
            connections.hold(400, for: number, on: channel)
        }
        #expect(honest.isActive)
        #expect(areOpen(greedy) == [false, true, true])
        #expect(connections.heldBytes == 1_000)
        connections.end(number, on: honest)
        #expect(connections.heldBytes == 800)
    }

    /// Clients of many networks hold incomplete bodies; a new request with slightly more bytes is not the one closed.
    @Test func amongEqualsTheOldestRequestIsClosed() throws {
        let connections = Connections(Self.limits(40, held: 96_000))
        let slow = try (0..<30).map { try channel("192.0.\($0).1") }
        for channel in slow {
            #expect(connections.admit(channel))
            _ = connections.begin(on: channel, cost: 3_150)
        }
        let honest = try channel("198.51.100.1")
        #expect(connections.admit(honest))
        #expect(connections.begin(on: honest, cost: 3_240) != nil)
        #expect(areOpen([honest]) == [true])
        #expect(areOpen(slow) == [false] + Array(repeating: true, count: 29))
    }

    @Test func everythingIsReleased() throws {
        let connections = Connections(Self.limits(held: 100_000))
        let one = try channel("192.0.2.1")
        let other = try channel("192.0.3.1")
        #expect(connections.admit(one) && connections.admit(other))
        var numbers: [Int] = []
        for _ in 0..<20 {
            numbers.append(try #require(connections.begin(on: one, cost: 7)))
            _ = connections.begin(on: other, cost: 9)
        }
        for number in numbers { connections.hold(11, for: number, on: one) }
        for number in numbers { connections.end(number, on: one) }
        close(other)
        #expect(connections.heldBytes == 0)
        #expect(connections.count == 1)
        close(one)
        #expect(connections.count == 0)
    }

    private func asyncChannel() async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 1))
        return channel
    }

    @Test func aConnectionWaitsWhileResponsesAreUnsent() async throws {
        let connections = Connections(Self.limits(heldEach: 100))
        let channel = try await asyncChannel()
        #expect(connections.admit(channel))
        let first = try #require(connections.begin(on: channel, cost: 0))
        #expect(!connections.isFull(channel))
        connections.hold(150, for: first, on: channel)
        #expect(connections.isFull(channel))
        async let room: Void = connections.waitForCapacity(on: channel, for: channel)
        connections.end(first, on: channel)
        await room
        #expect(!connections.isFull(channel))
    }

    @Test func aWaitingRequestResumesWhenItsConnectionCloses() async throws {
        let connections = Connections(Self.limits(heldEach: 100))
        let channel = try await asyncChannel()
        #expect(connections.admit(channel))
        connections.hold(150, for: try #require(connections.begin(on: channel, cost: 0)), on: channel)
        async let room: Void = connections.waitForCapacity(on: channel, for: channel)
        try await channel.close()
        await channel.testingEventLoop.run()
        await room
        #expect(connections.heldBytes == 0)
    }

    @Test func streamsAreBounded() throws {
        let connections = Connections(Self.limits(held: .max))
        let channel = try channel("192.0.2.1")
        #expect(connections.admit(channel))
        let begun = (0..<150).count { _ in connections.begin(on: channel, cost: 1) != nil }
        #expect(begun == 100)
    }
}
