import ArgumentParser
import Files
import Monitor
import Serving

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the monitor's file, while it serves.",
        discussion:
            "The copy holds no secret of a vault. It holds hashes of push tokens and passwords: keep it to yourself.")

    @OptionGroup var options: DataOptions
    @Argument(help: "Where the copy goes; nothing may be there.") var file: String

    func run() async throws {
        do {
            try await MonitorBackup.write(try options.store(), to: file)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("No copy was made. \(error)")
        }
        print("Written and read through: \(file)")
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the file of an empty data directory of a copy.",
        discussion: "What happened after the copy was made is lost: nodes added since then are added again.")

    @OptionGroup var options: DataOptions
    @Argument(help: "A copy made by `clavitor-monitor backup`.") var file: String

    func run() async throws {
        guard File.exists(file) else { throw Failure("There is no \(file).") }
        try options.lock(isDevelopment: true)
        do {
            try await MonitorBackup.restore(file, to: options.path)
        } catch {
            throw Failure("Nothing was restored. \(error)")
        }
        print("Restored. `clavitor-monitor serve --data \(options.data)` goes on from there.")
    }
}
