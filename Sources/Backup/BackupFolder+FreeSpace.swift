import Files

extension BackupFolder {
    /// The space that a backup must leave free: more than a full disk has.
    private static let minimumFree: Int64 = 4 * ReserveFile.bytes

    /// Checks that the disk has space for the plain and the encrypted copy, so that a backup does not use up the reserve of
    /// a disk that is filling up.
    ///
    /// - Parameter database: The path of the database to back up.
    /// - Throws: `BackupError.notEnoughSpace`.
    package func requireFreeSpace(for database: String) throws(BackupError) {
        let needed = 2 * Int64(FileStatus.size(database) ?? 0) + Self.minimumFree
        let present = File.exists(path) ? path : Directory.parent(of: path)
        guard let free = FileStatus.freeSpace(present), free < needed else { return }
        throw .notEnoughSpace(path, needed: needed, free: free)
    }
}
