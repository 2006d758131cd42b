import Files
import FoundationEssentials

/// The flake with the fleet's systems: a local directory with `flake.nix`, its lock and the inventory.
///
/// Checked before a build: it must have a lock, the selected inventory, and the binaries.
package struct Flake: Equatable, Sendable {
    /// Absolute.
    package let folder: String
    /// The static binaries for the flake's input `dist`. Absolute.
    package let dist: String

    /// - Parameters:
    ///   - folder: Absolute or relative to the working directory.
    ///   - dist: The same.
    /// - Throws: `FlakePreconditionError.noFlake`.
    package init(_ folder: String, dist: String) throws(FlakePreconditionError) {
        self.folder = Self.absolute(folder)
        self.dist = Self.absolute(dist)
        guard File.exists("\(self.folder)/flake.nix") else { throw .noFlake(self.folder) }
    }

    package var lockPath: String { "\(folder)/flake.lock" }

    /// The lock, which pins nixpkgs.
    ///
    /// - Throws: `FlakePreconditionError.noLock`, `FlakePreconditionError.unreadableLock`.
    package func lock() throws -> FlakeLock {
        guard File.exists(lockPath) else { throw FlakePreconditionError.noLock(lockPath) }
        return try FlakeLock(try File.read(lockPath, most: 1 << 20), path: lockPath)
    }

    /// Checks that the systems are built from the inventory that this program uses.
    ///
    /// - Throws: `FlakePreconditionError.otherInventory`.
    package func check(_ inventory: InventoryFile) throws {
        let own = InventoryFile("\(folder)/fleet.toml")
        guard try own.text() == inventory.text() else {
            throw FlakePreconditionError.otherInventory(Self.absolute(inventory.path), own.path)
        }
    }

    /// The version that the node's binary reports.
    ///
    /// - Throws: `FlakePreconditionError.noBinaries`.
    package func version(_ processes: any ChildProcesses) async throws -> String {
        let program = "\(dist)/clavitor-node"
        let outcome = try? await processes.run(ChildProcess(program, ["--version"], deadline: .seconds(30)))
        guard let outcome, outcome.status == 0, let version = outcome.output.split(whereSeparator: \.isWhitespace).last
        else { throw FlakePreconditionError.noBinaries(program) }
        return String(version)
    }

    private static func absolute(_ path: String) -> String {
        URL(filePath: path.absolutePath).standardizedFileURL.path
    }
}

/// Why systems cannot be built.
package enum FlakePreconditionError: PreconditionError, Equatable, Sendable {
    case noFlake(String)
    case noLock(String)
    case unreadableLock(String, String)
    case otherInventory(String, String)
    case noBinaries(String)
    case noBuild(String)

    package var description: String {
        switch self {
        case .noFlake(let folder): "\(folder) has no flake.nix. Use the project's directory nix: --flake DIR"
        case .noLock(let path):
            """
            \(path) does not exist, so nixpkgs is not pinned and builds are not reproducible. Create it: clavitor-soc update
            """
        case .unreadableLock(let path, let why):
            "\(path) does not pin nixpkgs: \(why). Create it again: clavitor-soc update"
        case .otherInventory(let named, let own):
            """
            The inventories \(named) and \(own) differ, and systems are built from the second. Use the same one: \
            --inventory \(own), or --flake with the directory of the first.
            """
        case .noBinaries(let program):
            "\(program) does not report its version. Build the binaries (make static), or set their directory: --dist DIR"
        case .noBuild(let why): "The systems cannot be built: \(why)"
        }
    }
}
