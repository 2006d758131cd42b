/// An error detected before any change was made (exit code 2).
package protocol PreconditionError: Error, CustomStringConvertible {}

extension BreakGlassError: PreconditionError {}
extension DeployPreconditionError: PreconditionError {}
extension DNSSettingsError: PreconditionError {}
extension HostKeyError: PreconditionError {}
extension InventoryError: PreconditionError {}
extension KeyStoreError: PreconditionError {}
extension NodeSecretError: PreconditionError {}
extension RecordsError: PreconditionError {}
extension LocalSecretStoreError: PreconditionError {}
