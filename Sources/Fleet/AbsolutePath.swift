import FoundationEssentials

extension String {
    /// The absolute path; a relative one is resolved against the working directory.
    package var absolutePath: String {
        hasPrefix("/") ? self : "\(FileManager.default.currentDirectoryPath)/\(self)"
    }
}
