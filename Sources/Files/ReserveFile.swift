/// Room on a disk that is held while there is enough of it, and given back when the disk is full, so that a program can
/// still write down what matters most.
package struct ReserveFile: Sendable {
    /// That it takes, unless another size is asked for.
    package static let bytes: Int64 = 16 << 20
    /// Less than this is left on a disk that counts as full.
    package static let scarce = bytes / 2
    private let path: String
    private let size: Int64

    package init(in folder: String, name: String = "reserve", bytes: Int64 = bytes) {
        path = "\(folder)/\(name)"
        size = bytes
    }

    package var isHeld: Bool { FileFacts.size(path) ?? 0 >= size }

    /// - Returns: Whether there was something to give back.
    package func giveBack() -> Bool {
        guard File.exists(path) else { return false }
        File.remove(path)
        return true
    }

    /// Takes it, where as much again stays free. `free`: Bytes that may be written.
    ///
    /// - Returns: False when the disk refused it; nothing is left of the try then.
    package func take(free: Int64) -> Bool {
        guard !isHeld, free > 2 * size else { return true }
        if File.allocate(path, size) { return true }
        File.remove(path)
        return false
    }
}
