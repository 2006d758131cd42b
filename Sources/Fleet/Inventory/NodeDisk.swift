/// The disk that a node boots from: the node's setting, or its provider's.
package struct NodeDisk: Equatable, Sendable {
    /// The device for the boot loader, if the machine boots with BIOS.
    package var disk: String
    /// The device of `/`.
    package var root: String
    /// The EFI system partition's device; nil if the machine boots with BIOS.
    package var esp: String?

    package init(disk: String, root: String, esp: String? = nil) {
        (self.disk, self.root, self.esp) = (disk, root, esp)
    }
}

extension Inventory {
    /// Nil for a node of an unknown provider.
    package func disk(of node: Node) -> NodeDisk? {
        guard let provider = providers[node.provider] else { return nil }
        let esp = node.esp ?? provider.esp ?? ""
        return NodeDisk(
            disk: node.disk ?? provider.disk, root: node.root ?? provider.root, esp: esp.isEmpty ? nil : esp)
    }
}
