/// A ballast file: disk space that is allocated while there is enough, and released when the disk is full, so that the
/// program can still write its most important data.
package struct ReserveFile: Sendable {
    /// The default size.
    package static let bytes: Int64 = 16 << 20
    /// A disk with less free space than this counts as full.
    package static let lowSpace = bytes / 2
    private let path: String
    private let size: Int64

    package init(in folder: String, name: String = "reserve", bytes: Int64 = bytes) {
        path = "\(folder)/\(name)"
        size = bytes
    }

    package var isAllocated: Bool { FileStatus.size(path) ?? 0 >= size }

    /// Releases the space.
    ///
    /// - Returns: Whether there was any to release.
    package func release() -> Bool {
        guard File.exists(path) else { return false }
        File.remove(path)
        return true
    }

    /// Allocates the space if at least as much stays free. `free`: Free bytes on the disk.
    ///
    /// - Returns: False when the allocation failed; the file is removed again then.
    package func allocate(free: Int64) -> Bool {
        guard !isAllocated, free > 2 * size else { return true }
        if File.allocate(path, size) { return true }
        File.remove(path)
        return false
    }
}
