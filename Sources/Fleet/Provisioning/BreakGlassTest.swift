/// Tests break-glass access: starts a node's emergency sshd over the tunnel, connects to it, and stops it again.
package struct BreakGlassTest<Tunnel: RemoteShell, Emergency: RemoteShell>: Sendable {
    private let tunnel: Tunnel
    private let emergency: Emergency

    package init(_ tunnel: Tunnel, _ emergency: Emergency) {
        (self.tunnel, self.emergency) = (tunnel, emergency)
    }

    /// - Throws: Errors of either connection.
    package func run() async throws {
        _ = try await tunnel.run(
            .script("systemctl start break-glass.service"), input: nil, deadline: .seconds(60))
        let outcome: Result<String, any Error>
        do {
            outcome = .success(try await emergency.run(.script("id -u"), input: nil, deadline: .seconds(30)))
        } catch {
            outcome = .failure(error)
        }
        // Stopped after a failure too, and before the failure is thrown.
        _ = try await tunnel.run(.script("systemctl stop break-glass.service"), input: nil, deadline: .seconds(60))
        guard try outcome.get().filter({ !$0.isWhitespace }) == "0" else { throw BreakGlassTestError.notRoot }
    }
}

package enum BreakGlassTestError: Error, Equatable, Sendable, CustomStringConvertible {
    case notRoot

    package var description: String { "the break-glass connection is not a root shell" }
}
