import Vault
import VaultFormat

/// What a call threw; nil when it returned.
package func thrown<R>(_ body: () async throws -> R) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// Whether an error says that the file holds what no node wrote: what the API answers with 503 and an alarm.
package func isDamage(_ error: (any Error)?) -> Bool {
    switch error {
    case is BoxError, is RootBoxError: true
    case VaultError.damaged?: true
    default: false
    }
}
