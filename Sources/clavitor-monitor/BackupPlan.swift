import ArgumentParser
import Backup
import ServerRuntime

/// Flags for encrypted backups of the monitor's database file.
struct BackupFlags: ParsableArguments {
    @Option(help: "Directory for encrypted backups of the monitor's database; without it no backups are made.")
    var backupTo: String?

    @Option(help: "age recipient for backups (repeatable).")
    var backupRecipient: [String] = []

    @Option(help: "Backup interval.")
    var backupEvery: DurationOption?

    @Option(help: "Number of backups to keep, as last,daily,weekly,monthly.")
    var backupKeep: String?
}

/// Backup settings: directory, recipients, interval and retention.
struct BackupPlan: Sendable {
    let directory: String
    let recipients: [AgeRecipient]
    /// Seconds.
    let every: Int64
    let keep: Retention

    /// The same settings from the TOML file.
    struct Keys {
        var to: String?
        var recipients: [String]?
        var every: DurationOption?
        var keep: String?
    }

    /// Flags take precedence over the file, the file over defaults; nil when no directory is named.
    init?(_ flags: BackupFlags, _ file: Keys) throws {
        let recipients = flags.backupRecipient.isEmpty ? file.recipients ?? [] : flags.backupRecipient
        guard let directory = flags.backupTo ?? file.to else {
            guard recipients.isEmpty else {
                throw Failure("--backup-recipient needs --backup-to DIR, the directory for backups.")
            }
            return nil
        }
        guard !recipients.isEmpty else {
            throw Failure(
                "--backup-to needs --backup-recipient age1…, whose identity can decrypt the backups (`age-keygen` creates one)."
            )
        }
        self.directory = directory
        self.recipients = try recipients.map { try AgeRecipient($0) }
        every = (flags.backupEvery ?? file.every)?.seconds ?? 86_400
        let text = flags.backupKeep ?? file.keep ?? "3,7,5,12"
        guard let keep = Retention(text) else {
            throw Failure("--backup-keep must be \(Retention.form), not \"\(text)\".")
        }
        self.keep = keep
    }
}
