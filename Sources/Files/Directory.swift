import Glibc

/// Operations on directories and the names in them. All calls block; none follows a symbolic link, except `resolved`.
package enum Directory {
    /// Creates a directory with mode 0700 durably. Leaves an existing one unchanged.
    package static func create(_ path: String) throws(SystemCallError) {
        guard unsafe mkdir(path, 0o700) == 0 else {
            // Opening it later reveals whether it is a directory.
            if errno == EEXIST { return }
            throw .last("mkdir", path)
        }
        try synchronize(parent(of: path))
    }

    /// All names except `.` and `..`, in no particular order. Empty for a missing directory.
    package static func names(in path: String) throws(SystemCallError) -> [String] {
        guard let stream = unsafe opendir(path) else {
            if errno == ENOENT { return [] }
            throw .last("opendir", path)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw .last("readdir", path) }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                // A name is at most 255 bytes and ends with a zero.
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Size in bytes of a regular file; nil for a missing file and for any other type.
    package static func fileSize(_ path: String) throws(SystemCallError) -> Int64? {
        guard let status = try status(path), status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    /// Whether the name exists, even as a dangling link.
    package static func exists(_ path: String) throws(SystemCallError) -> Bool {
        try status(path) != nil
    }

    /// Creates a second hard link to a file.
    ///
    /// `link` and not `rename`: it never replaces a file, on any file system, and needs no check beforehand.
    ///
    /// - Returns: False when the name exists.
    package static func link(_ path: String, as name: String) throws(SystemCallError) -> Bool {
        guard unsafe Glibc.link(path, name) == 0 else {
            if errno == EEXIST { return false }
            throw .last("link", name)
        }
        return true
    }

    /// Removes a name. A missing one is not an error.
    package static func remove(_ path: String) throws(SystemCallError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .last("unlink", path) }
    }

    /// Flushes the content of a file to the disk, including what was written through other descriptors.
    package static func synchronize(file path: String) throws(SystemCallError) {
        let file = try OpenFile(reading: path)
        try file.synchronize()
    }

    /// Flushes the names in a directory to the disk.
    package static func synchronize(_ path: String) throws(SystemCallError) {
        let directory = try OpenFile(directory: path)
        try directory.synchronize()
    }

    /// The path with symbolic links resolved; unchanged for a missing file.
    package static func resolved(_ path: String) -> String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    package static func parent(of path: String) -> String {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    private static func status(_ path: String) throws(SystemCallError) -> stat? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw .last("lstat", path)
        }
        return status
    }
}
