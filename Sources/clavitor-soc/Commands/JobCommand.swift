import ArgumentParser
import Console
import Files
import Fleet
import FoundationEssentials

/// Scheduled jobs.
struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Run daily and weekly jobs on timers, and report the results to the monitor.",
        discussion: """
            Install them on a machine outside the fleet that is on most of the time. The monitor notifies the recipients of node \
            incidents if a job fails or misses two runs.
            """,
        subcommands: [Install.self, Run.self])

    struct Install: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a push URL and systemd units for each job.",
            discussion: "Running it again keeps the push URLs and rewrites the units.")

        @OptionGroup var options: OperatorOptions
        @Option(help: "The directory for the units. (default: ~/.config/systemd/user)") var units: String?

        func run() async throws {
            let context = try OperatorContext(options)
            let folder = try units?.absolutePath ?? Self.usualFolder()
            let jobs = ScheduledJob.all(of: context.inventory)
            let files = try JobUnits(
                program: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
                state: context.state, inventory: options.inventory.absolutePath)
            try File.makeDirectories(folder)
            for job in jobs {
                let token = try JobURLStore(context.state).makeURL(job, monitor: context.inventory.fleet.monitor)
                try context.file.edit {
                    try $0.entering(Inventory.Job(name: job.name, every: job.every, pushToken: token))
                }
                for (name, text) in files.files(job) { try File.replace("\(folder)/\(name)", with: text, mode: 0o644) }
            }
            if context.settings.sshKey == nil {
                Terminal.note("Timers have no ssh-agent: set ssh-key in \(context.state)/soc.toml.")
            }
            let hub = context.inventory.hub?.name ?? ""
            Terminal.line(
                """
                The units are in \(folder). Remaining steps:
                  clavitor-soc deploy --limit \(hub)
                  systemctl --user daemon-reload
                  systemctl --user enable --now \(jobs.map(files.unit).joined(separator: " "))
                  loginctl enable-linger
                """.printable)
        }

        private static func usualFolder() throws -> String {
            guard let home = ProcessInfo.processInfo.environment["HOME"] else {
                throw CommandFailure("HOME is not set: use --units DIR.", code: 2)
            }
            return "\(home)/.config/systemd/user"
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a job once, as the timers do, and report the result: backups, integrity or upkeep.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The job.") var job: ScheduledJob

        func run() async throws {
            let context = try OperatorContext(options)
            let url = try JobURLStore(context.state).url(job)
            var failure: (any Error)?
            do { try await perform() } catch { failure = error }
            try await context.report(url, failure: failure.map(Self.words))
            if let failure { throw failure }
        }

        private static func words(_ error: any Error) -> String {
            error is ExitCode ? "it failed; its own journal says how" : "\(error)"
        }

        private func perform() async throws {
            let words = ["--state", try options.stateDirectory(), "--inventory", options.inventory]
            switch job {
            case .backups:
                let fetch = try BackupCommand.Fetch.parse(words)
                try await fetch.run()
            case .integrity:
                let integrity = try IntegrityCommand.parse(words)
                try await integrity.run()
            case .upkeep: try Upkeep(options).run()
            case .names:
                let watch = try DNSWatch.parse(words + ["--once"])
                try await watch.run()
            }
        }
    }
}

extension ScheduledJob: ExpressibleByArgument {}

/// The push URLs of jobs, in the state directory, unencrypted because timers cannot prompt for a key.
struct JobURLStore {
    private let folder: String

    init(_ state: String) { folder = "\(state)/jobs" }

    private func path(_ job: ScheduledJob) -> String { "\(folder)/\(job.rawValue).url" }

    /// Creates the URL unless it exists.
    ///
    /// - Returns: The hash of its token, for the inventory.
    func makeURL(_ job: ScheduledJob, monitor: String) throws -> String {
        if !File.exists(folder) { try File.makeDirectory(folder) }
        if !File.exists(path(job)) {
            try File.replace(path(job), with: PushURL.make(at: monitor).text + "\n", mode: 0o600)
        }
        return try url(job).digest
    }

    /// - Throws: `JobPreconditionError.notInstalled`.
    func url(_ job: ScheduledJob) throws -> PushURL {
        guard File.exists(path(job)) else { throw JobPreconditionError.notInstalled(job.rawValue) }
        return PushURL(try File.read(path(job), most: 4_096))
    }
}

/// Reports overdue maintenance.
private struct Upkeep {
    private static let oldDays: Int64 = 21

    private let options: OperatorOptions

    init(_ options: OperatorOptions) { self.options = options }

    func run() throws {
        var problems: [String] = []
        do { _ = try options.file.readValid() } catch { problems.append("\(error)") }
        let lock = "\(Directory.parent(of: options.inventory.absolutePath))/flake.lock"
        if File.exists(lock), let modified = try FlakeLock(try File.read(lock, most: 1 << 20), path: lock).modified {
            let days = (OperatorContext.now() - modified) / 86_400
            if days > Self.oldDays { problems.append("nixpkgs is \(days) days old: clavitor-soc update, then deploy") }
        }
        if let due = try BreakGlassCommand.due(options, after: 90), !due.isEmpty {
            problems.append("break-glass was not tested for 90 days on \(due.joined(separator: ", "))")
        }
        for problem in problems { Terminal.line(problem.printable) }
        guard problems.isEmpty else { throw CommandFailure(problems.joined(separator: "; ")) }
    }
}
