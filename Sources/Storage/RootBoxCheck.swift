import SQLite
import VaultFormat

/// Opens all secret boxes under root keys, which needs no principal, so that damage shows before somebody needs the row.
struct RootBoxCheck {
    private let root: RootKeys
    private var tables = RootBoxTable.allCases.filter { $0 != .sealedWrap }
    /// The place of the last sealed wrap; the others are checked first.
    private var after: (HolderID, FieldPlace)?

    /// A key id has four bytes, so every row counts as stale.
    private static let noKeyID = [UInt8](repeating: 0, count: 5)

    init(root: RootKeys) {
        self.root = root
    }

    /// Checks the next table, or the next `rows` sealed wraps, of which there may be hundreds of thousands.
    ///
    /// - Returns: What was found, and whether it was the last part.
    mutating func advance(_ db: Connection, rows: Int) throws -> (findings: [String], isDone: Bool) {
        if let table = tables.popLast() { return (findings(in: try table.stale(db, Self.noKeyID, .max)), false) }
        let wraps = try RootBoxTable.sealedWraps(db, Self.noKeyID, after: after, limit: rows)
        after = wraps.last.flatMap { $0.0.wrapPlace }
        return (findings(in: wraps), wraps.count < rows)
    }

    private func findings(in boxes: [(RootBox, [UInt8])]) -> [String] {
        boxes.compactMap { item, box in
            do throws(RootBoxError) {
                _ = try root.open(box, context: item.context)
                return nil
            } catch {
                return "\(item.location) fails authentication: \(error)"
            }
        }
    }
}

extension RootBox {
    /// The column and row, without secrets.
    fileprivate var location: String {
        switch self {
        case .nodeKey: "node.node_key"
        case .email(let vault): "account.email of vault \(vault.text)"
        case .auditKey(let vault): "account.audit_key of vault \(vault.text)"
        case .publicKey(let vault, let holder): "holder.public_key of \(holder.text) in vault \(vault.text)"
        case .policy(let vault, let agent): "agent.policy of \(agent.text) in vault \(vault.text)"
        case .credential(let row): "credential.box of \(row.id.text) in vault \(row.vault.text)"
        case .credentialL2Key(let row): "credential.l2_key of \(row.id.text) in vault \(row.vault.text)"
        case .credentialSeal(let row): "credential.seal of \(row.id.text) in vault \(row.vault.text)"
        case .sealedWrap(let place, let holder):
            "wrap.box of \(holder.text) for version \(place.version) of part \(place.partID.text) in entry \(place.entry.text)"
        }
    }
}
