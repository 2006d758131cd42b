import ArgumentParser
import Backup
import Serving

/// Flags for encrypted backups of the monitor's file.
struct BackupFlags: ParsableArguments {
    @Option(help: "A folder for encrypted backups of the monitor's file; without it the monitor makes none.")
    var backupTo: String?

    @Option(help: "An age recipient for backups (repeatable).")
    var backupRecipient: [String] = []

    @Option(help: "How often to make a backup.")
    var backupEvery: Span?

    @Option(help: "How many backups to keep, as last,daily,weekly,monthly.")
    var backupKeep: String?
}

/// Where backups go, who can open them, how often one is made and how many stay.
struct BackupPlan: Sendable {
    let folder: String
    let recipients: [AgeRecipient]
    /// Seconds.
    let every: Int64
    let keep: Retention

    /// The same from the TOML file.
    struct Keys {
        var to: String?
        var recipients: [String]?
        var every: Span?
        var keep: String?
    }

    /// Flags over file over defaults; nil when no folder is named.
    init?(_ flags: BackupFlags, _ file: Keys) throws {
        let recipients = flags.backupRecipient.isEmpty ? file.recipients ?? [] : flags.backupRecipient
        guard let folder = flags.backupTo ?? file.to else {
            guard recipients.isEmpty else {
                throw Failure("--backup-recipient needs --backup-to DIR, the folder for backups.")
            }
            return nil
        }
        guard !recipients.isEmpty else {
            throw Failure(
                "--backup-to needs --backup-recipient age1…, somebody who can open the backups (`age-keygen` makes one)."
            )
        }
        self.folder = folder
        self.recipients = try recipients.map { try AgeRecipient($0) }
        every = (flags.backupEvery ?? file.every)?.seconds ?? 86_400
        let text = flags.backupKeep ?? file.keep ?? "3,7,5,12"
        guard let keep = Retention(text) else {
            throw Failure("\"\(text)\" does not say what to keep: \(Retention.form).")
        }
        self.keep = keep
    }
}
