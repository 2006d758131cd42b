import Vault
import VaultFormat

/// The error that a call throws; nil when it returns.
package func thrown<R>(_ body: () async throws -> R) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// Whether an error reports corruption or tampering, which the API answers with 503 and an alarm.
package func isDamage(_ error: (any Error)?) -> Bool {
    switch error {
    case is BoxError, is RootBoxError: true
    case VaultError.damaged?, VaultError.vaultDamaged?: true
    default: false
    }
}
