import ArgumentParser
import Files
import Monitor
import ServerRuntime

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the monitor's database while it serves.",
        discussion:
            "The copy contains no vault secrets. It contains hashes of push tokens and passwords: keep it private.")

    @OptionGroup var options: DataOptions
    @Argument(help: "Path of the copy, which must not exist.") var file: String

    func run() async throws {
        do {
            try await MonitorBackup.write(try options.store(), to: file)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("No copy was made: \(error)")
        }
        print("Written and verified: \(file)")
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restore a copy into an empty data directory.",
        discussion: "Changes after the copy are lost: add nodes that were added since then again.")

    @OptionGroup var options: DataOptions
    @Argument(help: "Copy made by `clavitor-monitor backup`.") var file: String

    func run() async throws {
        guard File.exists(file) else { throw Failure("There is no \(file).") }
        try options.lock(isDevelopment: true)
        do {
            try await MonitorBackup.restore(file, to: options.path)
        } catch {
            throw Failure("Nothing was restored: \(error)")
        }
        print("Restored. Continue with `clavitor-monitor serve --data \(options.data)`.")
    }
}
