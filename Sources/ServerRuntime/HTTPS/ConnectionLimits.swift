/// Limits that bound a server's memory.
package struct ConnectionLimits: Equatable, Sendable {
    /// Concurrent TCP connections. When the limit is reached, the longest idle one is closed for a new one.
    package var connections: Int
    /// Concurrent TCP connections of one network: an IPv4 /24 or an IPv6 /64.
    package var connectionsPerNetwork: Int
    /// Bytes that all open requests may hold together: streams, header fields and unsent responses.
    package var heldBytes = 48 << 20
    /// Unsent response bytes of one connection above which its next request waits. A single response may be longer.
    package var heldBytesPerConnection = 1 << 20
    /// Advertised HTTP/2 streams, and pipelined HTTP/1.1 requests, per connection.
    package var requestsPerConnection = 32
    /// HTTP/2 streams accepted from a client that exceeds the advertised limit.
    static let maxStreams = 100

    /// Requests being handled, including those whose stream was reset or whose connection is closed: their work continues.
    package var inFlight = 2_048
    /// The same per network.
    package var inFlightPerNetwork = 1_024
    /// Requests of one network that are accepted even when `inFlight` is reached.
    package var inFlightGuaranteed = 32

    package init(connections: Int, connectionsPerNetwork: Int) {
        self.connections = connections
        self.connectionsPerNetwork = connectionsPerNetwork
    }

    /// The limits with the operator's settings.
    package func changed(connections: Int?, perNetwork: Int?) throws -> ConnectionLimits {
        var limits = self
        limits.connections = connections ?? limits.connections
        limits.connectionsPerNetwork = perNetwork ?? limits.connectionsPerNetwork
        guard limits.connections > 0 else { throw Failure("--max-connections must be at least 1.") }
        guard limits.connectionsPerNetwork > 0 else {
            throw Failure("--max-connections-per-network must be at least 1.")
        }
        return limits
    }

    /// Bytes of one open request besides its header fields and response. Measured: an HTTP/2 stream with its channel, pipeline
    /// and task; a pipelined HTTP/1.1 request.
    static let streamCost = 40 << 10
    static let pipelinedCost = 2 << 10
    /// Additional bytes of an incomplete body: the flow-control window of an HTTP/2 stream; the socket and decoder buffers of an
    /// HTTP/1.1 connection, more than a third of a megabyte.
    static let streamBodyCost = 64 << 10
    package static let connectionBodyCost = 384 << 10
}
