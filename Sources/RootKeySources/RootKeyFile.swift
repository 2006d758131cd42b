import Files
package import VaultFormat

/// Root keys in a file with mode 0400.
package struct RootKeyFile: RootKeySource {
    package let location: String
    /// Maximum file size in bytes.
    private static let limit = 65_536

    package init(path: String) {
        location = path
    }

    package var exists: Bool { File.exists(location) }
    package var isReplaceable: Bool { true }

    package func load() throws -> RootKeys {
        guard exists else { throw RootKeySourceError.missing(location) }
        guard let keys = RootKeyText.parse(try File.read(location, most: Self.limit)) else {
            throw RootKeySourceError.malformed(location)
        }
        return keys
    }

    package func replace(with keys: RootKeys) throws {
        try File.replace(location, with: RootKeyText.text(keys), mode: 0o400)
    }
}

/// Root keys in a systemd credential (systemd.exec(5), `LoadCredential=`). Read-only.
package struct RootKeyCredential: RootKeySource {
    private let file: RootKeyFile

    /// `directory`: The value of `CREDENTIALS_DIRECTORY`.
    package init(directory: String) {
        file = RootKeyFile(path: "\(directory)/root-key")
    }

    package var location: String { file.location }
    package var exists: Bool { file.exists }
    package var isReplaceable: Bool { false }

    package func load() throws -> RootKeys { try file.load() }
    package func replace(with keys: RootKeys) throws { throw RootKeySourceError.notReplaceable(location) }
}
