import Files
package import FoundationEssentials

/// Small secret files in a folder of mode 0700, each 0600 and, with age, encrypted.
///
/// Never inside a git work tree: what was committed once is out for good.
package struct LocalSecretStore: Sendable {
    private static let most = 1 << 16

    private let folder: String
    private let age: AgeProgram?

    /// Makes the folder.
    ///
    /// - Parameters:
    ///   - folder: Where; its parent must exist.
    ///   - age: Nil: plain text.
    /// - Throws: `LocalSecretStoreError.workTree`.
    package init(_ folder: String, age: AgeProgram?) throws {
        if let tree = Self.workTree(around: folder) { throw LocalSecretStoreError.workTree(tree) }
        try File.makeDirectory(folder)
        guard let mode = FileStatus.mode(folder), mode & 0o077 == 0 else { throw LocalSecretStoreError.open(folder) }
        self.folder = folder
        self.age = age
    }

    package func put(_ name: String, _ text: String) async throws {
        guard text.utf8.count <= Self.most else { throw LocalSecretStoreError.tooLong(name, Self.most) }
        let written = if let age { try await age.encrypt(text) } else { text }
        try File.replace(path(name, isEncrypted: age != nil), with: written, mode: 0o600)
        // The other form of it would be an older secret.
        File.remove(path(name, isEncrypted: age == nil))
    }

    /// Nil: there is none of that name.
    package func take(_ name: String) async throws -> String? {
        let (plain, encrypted) = (path(name, isEncrypted: false), path(name, isEncrypted: true))
        if File.exists(encrypted) {
            guard let age else { throw AgeSettingsError.noIdentity }
            return try await age.decrypt(try File.read(encrypted, most: 4 * Self.most))
        }
        guard File.exists(plain) else { return nil }
        let text = try File.read(plain, most: Self.most)
        // From before there were recipients: it does not stay readable longer than it must. Nobody else's key will do.
        if let age, let proof = try? await age.decrypt(try await age.encrypt(text)), proof == text {
            try await put(name, text)
        }
        return text
    }

    package func holds(_ name: String) throws -> Bool {
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

    /// When each was written.
    package func times() throws -> [String: Date] {
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

    /// The work tree that a path is in, links followed as far as the path exists.
    static func workTree(around path: String) -> String? {
        var place = URL(filePath: path.absolutePath).standardizedFileURL.resolvingSymlinksInPath().path
        // A path whose end is not there yet is not resolved: what is there of it must be.
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
            "Secrets are not kept in the git work tree \(tree). Give another folder: --state DIR."
        case .open(let folder): "Others can read \(folder). Close it: chmod 700 \(folder)"
        case .tooLong(let name, let most): "\(name) has more than \(most) bytes. Check that it is the right file."
        }
    }
}
