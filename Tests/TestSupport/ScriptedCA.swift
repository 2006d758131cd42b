package import Autocert
import Crypto
package import Foundation
import Synchronization
package import X509

/// A certificate authority in memory with real signatures and certificates, the test's clock, and faults on demand.
///
/// Offers what pebble and Caddy lack: renewal information, profiles, 429, `alreadyReplaced`, truncated downloads, five
/// years in a second. Counts what a real CA's rate limits would have refused.
package final class ScriptedCA: Sendable {
    package struct Behaviour: Sendable {
        package var lifetime: TimeInterval = 90 * 86_400
        /// Nil for a CA without renewal information.
        package var suggestedWindow: (@Sendable (_ notBefore: Date, _ notAfter: Date) -> (start: Date, end: Date))?
        package var profiles: [String: String]?
        /// The key authorization that the CA finds for a challenge, or nil when it finds none.
        package var validate: @Sendable (_ type: String, _ name: String, _ token: String) -> String?
        /// Runs before everything else: returns the test's own response, or throws as if the CA were unreachable.
        package var intercept: @Sendable (_ kind: String, ACMERequest) throws(ACMEError) -> ACMEResponse?
        package var types = ["http-01", "tls-alpn-01"]
        /// A wrong response leaves the challenge pending, with an error, as some CAs do.
        package var leavesPending = false
        package var issue: @Sendable (ScriptedCA, [String], Certificate.PublicKey) throws -> String

        package init(validate: @escaping @Sendable (_ type: String, _ name: String, _ token: String) -> String?) {
            self.validate = validate
            intercept = { (_, _) throws(ACMEError) in nil }
            issue = { ca, names, key in try ca.chain(names, key) }
        }
    }

    /// Everything that happened, for a test to count.
    package struct Record: Sendable {
        /// When certificates were issued, and which certificate each one replaced.
        package var issued: [(at: Date, replaces: String?)] = []
        package var orders: [Date] = []
        package var failedValidations: [Date] = []
        package var requests: [String] = []
        package var revoked: Set<String> = []
    }

    package let directory: String
    let now: @Sendable () -> Date
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let state: Mutex<State>

    struct OrderState {
        var names: [String]
        var account: String
        var replaces: String?
        var validated: Set<String> = []
        var failed: Set<String> = []
        var unreached: Set<String> = []
        var chain: String?
    }

    struct State {
        var behaviour: Behaviour
        var record = Record()
        var nonces: Set<String> = []
        var accounts: [String: P256.Signing.PublicKey] = [:]
        var orders: [OrderState] = []
        var replaced: Set<String> = []
        var windows: [String: (notBefore: Date, notAfter: Date)] = [:]
        var serial: UInt64 = 1
    }

    package init(
        _ behaviour: Behaviour, host: String = "ca.test", now: @escaping @Sendable () -> Date
    ) {
        directory = "https://\(host)/directory"
        self.now = now
        state = Mutex(State(behaviour: behaviour))
    }

    package var record: Record { state.withLock { $0.record } }

    package func change(_ body: @Sendable (inout Behaviour) -> Void) { state.withLock { body(&$0.behaviour) } }

    /// Revokes everything issued so far: its suggested window moves into the past.
    package func revokeAll() { state.withLock { state in state.record.revoked.formUnion(state.windows.keys) } }

    /// Deletes every account, as after an accident at the CA.
    package func deleteAccounts() { state.withLock { $0.accounts = [:] } }

    var base: String { String(directory.dropLast("/directory".count)) }
}
