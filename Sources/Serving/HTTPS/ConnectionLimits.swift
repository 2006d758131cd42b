/// Ceilings that keep a server inside its memory, whoever connects.
package struct ConnectionLimits: Equatable, Sendable {
    /// TCP connections at the same time. When all are taken, the longest idle one is closed for a new one.
    package var connections: Int
    /// TCP connections of one network: a /24 of IPv4, a /64 of IPv6.
    package var connectionsPerNetwork: Int
    /// Bytes that all open requests may hold together: streams, header fields, answers not yet taken.
    package var heldBytes = 48 << 20
    /// Bytes of answers that one connection may leave untaken before its next request waits. One answer may be longer.
    package var heldBytesPerConnection = 1 << 20
    /// HTTP/2 streams that a client is told it may open, and pipelined HTTP/1.1 requests.
    package var requestsPerConnection = 32
    /// HTTP/2 streams of a client that opened them before it was told, or does not care.
    static let mostStreams = 100

    /// Requests that are being answered, with those whose stream was reset or whose connection is closed: their work goes on.
    package var answering = 2_048
    package var answeringPerNetwork = 1_024
    /// So many of a network are answered even when all together are too many.
    package var answeringAlways = 32

    package init(connections: Int, connectionsPerNetwork: Int) {
        self.connections = connections
        self.connectionsPerNetwork = connectionsPerNetwork
    }

    /// With what an operator set.
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

    /// What one open request costs besides its header fields and its answer, in bytes. Measured: an HTTP/2 stream with
    /// its channel, pipeline and task; a pipelined HTTP/1.1 request.
    static let streamCost = 40 << 10
    static let pipelinedCost = 2 << 10
    /// What a body that is not whole costs besides: of an HTTP/2 stream its flow-control window, of an HTTP/1.1 connection
    /// the buffers of its socket and of its decoders, which take more than a third of a megabyte.
    static let streamBodyCost = 64 << 10
    static let connectionBodyCost = 384 << 10
}
