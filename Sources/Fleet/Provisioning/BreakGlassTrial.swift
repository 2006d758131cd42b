/// Starts the emergency sshd of a node over the tunnel, signs in by it, and stops it again.
package struct BreakGlassTrial<Tunnel: RemoteShell, Emergency: RemoteShell>: Sendable {
    private let tunnel: Tunnel
    private let emergency: Emergency

    package init(_ tunnel: Tunnel, _ emergency: Emergency) {
        (self.tunnel, self.emergency) = (tunnel, emergency)
    }

    /// - Throws: What either way said.
    package func run() async throws {
        _ = try await tunnel.run(
            .script("systemctl start break-glass.service"), input: nil, deadline: .seconds(60))
        let outcome: Result<String, any Error>
        do {
            outcome = .success(try await emergency.run(.script("id -u"), input: nil, deadline: .seconds(30)))
        } catch {
            outcome = .failure(error)
        }
        // Whatever came of it, and before it is told.
        _ = try await tunnel.run(.script("systemctl stop break-glass.service"), input: nil, deadline: .seconds(60))
        guard try outcome.get().filter({ !$0.isWhitespace }) == "0" else { throw BreakGlassTrialError.notRoot }
    }
}

package enum BreakGlassTrialError: Error, Equatable, Sendable, CustomStringConvertible {
    case notRoot

    package var description: String { "break-glass does not lead to root" }
}
