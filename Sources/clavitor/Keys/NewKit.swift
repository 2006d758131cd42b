import VaultFormat
import Wire

/// A recovery kit that is being made, with the id under which the node stores it. The id's start is printed as the kit's number, so
/// that its owner can tell it from another one.
struct NewKit: Sendable {
    let id = CredentialID.random()
    let kit = RecoveryKit()

    var text: String { kit.text }
    var number: String { id.kitNumber }

    /// The node's part of the kit.
    func body(for l2Key: L2Key, origin: String) -> RecoveryBody {
        let keys = AccountKeys(kit: kit, origin: origin)
        return RecoveryBody(
            id: id.text, key: keys.authKey.base64URL, l2: l2Key.body(for: keys.l2WrapKey))
    }

    var printed: String {
        """
        RECOVERY KIT \(number), shown only once. Print it with its number and keep it away from this machine:

            \(text)

        The kit and your e-mail address give full access to your vault. If the password is lost: clavitor recover
        """
    }
}
