/// An error that was found before anything was touched.
package protocol Refusal: Error, CustomStringConvertible {}

extension BreakGlassError: Refusal {}
extension DeployRefusal: Refusal {}
extension DNSSettingsError: Refusal {}
extension HostKeyError: Refusal {}
extension InventoryError: Refusal {}
extension KeyStoreError: Refusal {}
extension NodeSecretError: Refusal {}
extension RecordsError: Refusal {}
extension LocalSecretStoreError: Refusal {}
