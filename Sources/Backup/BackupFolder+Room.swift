import Files

extension BackupFolder {
    /// What a backup leaves free, at least: more than a disk has that counts as full.
    private static let leaves: Int64 = 4 * ReserveFile.bytes

    /// A backup stands on the disk twice while it is encrypted: on one that is filling up it would take what is kept for worse
    /// moments.
    ///
    /// - Parameter database: The path of what is backed up.
    /// - Throws: `BackupError.noRoom`.
    package func requireRoom(for database: String) throws(BackupError) {
        let needed = 2 * Int64(FileFacts.size(database) ?? 0) + Self.leaves
        let present = File.exists(path) ? path : Directory.parent(of: path)
        guard let free = FileFacts.freeSpace(present), free < needed else { return }
        throw .noRoom(path, needed: needed, free: free)
    }
}
