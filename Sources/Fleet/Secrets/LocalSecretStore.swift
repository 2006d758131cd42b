import Files
package import FoundationEssentials

/// Stores small secrets as files of mode 0600 in a directory of mode 0700, encrypted with age if configured.
///
/// Refuses directories in a Git work tree, because a committed secret is compromised.
package struct LocalSecretStore: Sendable {
    private static let maximumBytes = 1 << 16

    private let folder: String
    private let age: AgeProgram?

    /// Creates the directory.
    ///
    /// - Parameters:
    ///   - folder: The directory; its parent must exist.
    ///   - age: Nil for plaintext.
    /// - Throws: `LocalSecretStoreError.workTree`.
    package init(_ folder: String, age: AgeProgram?) throws {
        if let tree = Self.workTree(around: folder) { throw LocalSecretStoreError.workTree(tree) }
        try File.makeDirectory(folder)
        guard let mode = FileStatus.mode(folder), mode & 0o077 == 0 else { throw LocalSecretStoreError.open(folder) }
        self.folder = folder
        self.age = age
    }

    package func write(_ name: String, _ text: String) async throws {
        guard text.utf8.count <= Self.maximumBytes else {
            throw LocalSecretStoreError.tooLong(name, Self.maximumBytes)
        }
        let written = if let age { try await age.encrypt(text) } else { text }
        try File.replace(path(name, isEncrypted: age != nil), with: written, mode: 0o600)
        // The other form would be an outdated secret.
        File.remove(path(name, isEncrypted: age == nil))
    }

    /// Nil for a missing secret.
    package func read(_ name: String) async throws -> String? {
        let (plain, encrypted) = (path(name, isEncrypted: false), path(name, isEncrypted: true))
        if File.exists(encrypted) {
            guard let age else { throw AgeSettingsError.noIdentity }
            return try await age.decrypt(try File.read(encrypted, most: 4 * Self.maximumBytes))
        }
        guard File.exists(plain) else { return nil }
        let text = try File.read(plain, most: Self.maximumBytes)
        // Written before encryption was configured: encrypt it now, if the identity can decrypt it again.
        if let age, let decrypted = try? await age.decrypt(try await age.encrypt(text)), decrypted == text {
            try await write(name, text)
        }
        return text
    }

    package func contains(_ name: String) throws -> Bool {
        File.exists(path(name, isEncrypted: false)) || File.exists(path(name, isEncrypted: true))
    }

    package func remove(_ name: String) throws {
        for isEncrypted in [false, true] { File.remove(path(name, isEncrypted: isEncrypted)) }
    }

    package func rename(_ name: String, to other: String) throws {
        for isEncrypted in [false, true] where File.exists(path(name, isEncrypted: isEncrypted)) {
            try File.move(path(name, isEncrypted: isEncrypted), to: path(other, isEncrypted: isEncrypted))
            File.remove(path(other, isEncrypted: !isEncrypted))
        }
    }

    /// Modification dates by name.
    package func modificationDates() throws -> [String: Date] {
        var times: [String: Date] = [:]
        for file in try Directory.names(in: folder) where !file.hasSuffix(".new") {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")
            times[file.hasSuffix(".age") ? String(file.dropLast(4)) : file] =
                attributes[.modificationDate] as? Date ?? .distantPast
        }
        return times
    }

    private func path(_ name: String, isEncrypted: Bool) -> String {
        "\(folder)/\(name)\(isEncrypted ? ".age" : "")"
    }

    /// The Git work tree that contains a path, with symbolic links resolved as far as the path exists.
    static func workTree(around path: String) -> String? {
        var place = URL(filePath: path.absolutePath).standardizedFileURL.resolvingSymlinksInPath().path
        // A path that does not exist yet is not resolved, so its existing part is resolved instead.
        while !File.exists(place), place != "/" { place = Directory.parent(of: place) }
        place = URL(filePath: place).resolvingSymlinksInPath().path
        while true {
            if File.exists("\(place)/.git") { return place }
            if place == "/" { return nil }
            place = Directory.parent(of: place)
        }
    }
}

package enum LocalSecretStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    case workTree(String)
    case open(String)
    case tooLong(String, Int)

    package var description: String {
        switch self {
        case .workTree(let tree):
            "Secrets must not be stored in the Git work tree \(tree). Use another directory: --state DIR."
        case .open(let folder): "Other users can read \(folder). Restrict it: chmod 700 \(folder)"
        case .tooLong(let name, let limit): "\(name) must be at most \(limit) bytes. Check that it is the right file."
        }
    }
}
