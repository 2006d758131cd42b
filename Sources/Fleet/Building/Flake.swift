import Files
import FoundationEssentials

/// The flake with the fleet's systems: a folder of this machine with `flake.nix`, its lock and the inventory.
///
/// Checked before anything is built: a deploy needs a lock, the inventory that the operator named, and the binaries.
package struct Flake: Equatable, Sendable {
    /// Absolute.
    package let folder: String
    /// The static binaries for the flake's input `dist`. Absolute.
    package let dist: String

    /// - Parameters:
    ///   - folder: As the operator named it, absolute or relative to the working directory.
    ///   - dist: The same.
    /// - Throws: `FlakeRefusal.noFlake`.
    package init(_ folder: String, dist: String) throws(FlakeRefusal) {
        self.folder = Self.absolute(folder)
        self.dist = Self.absolute(dist)
        guard File.exists("\(self.folder)/flake.nix") else { throw .noFlake(self.folder) }
    }

    package var lockPath: String { "\(folder)/flake.lock" }

    /// What pins nixpkgs.
    ///
    /// - Throws: `FlakeRefusal.noLock`, `FlakeRefusal.unreadableLock`.
    package func lock() throws -> FlakeLock {
        guard File.exists(lockPath) else { throw FlakeRefusal.noLock(lockPath) }
        return try FlakeLock(try File.read(lockPath, most: 1 << 20), path: lockPath)
    }

    /// That the systems are built from the inventory with which this program works.
    ///
    /// - Throws: `FlakeRefusal.otherInventory`.
    package func check(_ inventory: InventoryFile) throws {
        let own = InventoryFile("\(folder)/fleet.toml")
        guard try own.text() == inventory.text() else {
            throw FlakeRefusal.otherInventory(Self.absolute(inventory.path), own.path)
        }
    }

    /// The version that the node's binary reports.
    ///
    /// - Throws: `FlakeRefusal.noBinaries`.
    package func version(_ processes: any ChildProcesses) async throws -> String {
        let program = "\(dist)/clavitor-node"
        let outcome = try? await processes.run(ChildProcess(program, ["--version"], deadline: .seconds(30)))
        guard let outcome, outcome.status == 0, let version = outcome.output.split(whereSeparator: \.isWhitespace).last
        else { throw FlakeRefusal.noBinaries(program) }
        return String(version)
    }

    private static func absolute(_ path: String) -> String {
        URL(filePath: path.absolutePath).standardizedFileURL.path
    }
}

/// Why nothing is built.
package enum FlakeRefusal: Refusal, Equatable, Sendable {
    case noFlake(String)
    case noLock(String)
    case unreadableLock(String, String)
    case otherInventory(String, String)
    case noBinaries(String)
    case noBuild(String)

    package var description: String {
        switch self {
        case .noFlake(let folder): "\(folder) has no flake.nix. Name the project's folder nix: --flake DIR"
        case .noLock(let path):
            """
            There is no \(path), so nixpkgs is not pinned and each build could take another one. Pin it: clavitor-soc update
            """
        case .unreadableLock(let path, let why):
            "\(path) does not pin nixpkgs: \(why). Write it anew: clavitor-soc update"
        case .otherInventory(let named, let own):
            """
            The inventories \(named) and \(own) differ, and systems are built from the second. Use one of them: \
            --inventory \(own), or --flake with the folder of the first.
            """
        case .noBinaries(let program):
            "\(program) does not report its version. Build the binaries (make static), or name their folder: --dist DIR"
        case .noBuild(let why): "The systems cannot be built: \(why)"
        }
    }
}
