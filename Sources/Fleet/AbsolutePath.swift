import FoundationEssentials

extension String {
    /// The path from the root; one that begins elsewhere begins at the working directory.
    package var absolutePath: String {
        hasPrefix("/") ? self : "\(FileManager.default.currentDirectoryPath)/\(self)"
    }
}
