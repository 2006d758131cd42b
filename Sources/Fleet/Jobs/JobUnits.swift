/// systemd user units for scheduled jobs on an operator's machine.
package struct JobUnits: Equatable, Sendable {
    /// Absolute paths.
    private let program: String
    private let state: String
    private let inventory: String

    /// - Throws: `JobPreconditionError.path`, for characters with a special meaning in units.
    package init(program: String, state: String, inventory: String) throws(JobPreconditionError) {
        for path in [program, state, inventory] where path.utf8.contains(where: { !$0.isPlain }) { throw .path(path) }
        (self.program, self.state, self.inventory) = (program, state, inventory)
    }

    /// Files by name.
    package func files(_ job: ScheduledJob) -> [String: String] {
        let name = "clavitor-\(job.name)"
        let words = "--state \(state) --inventory \(inventory)"
        guard let calendar = job.calendar else {
            return [
                "\(name).service": """
                [Unit]
                Description=Clavitor: \(job.description)
                StartLimitIntervalSec=0

                [Service]
                ExecStart=\(program) dns watch \(words)
                Restart=always
                RestartSec=30

                [Install]
                WantedBy=default.target

                """
            ]
        }
        return [
            "\(name).service": """
            [Unit]
            Description=Clavitor: \(job.description)

            [Service]
            Type=oneshot
            ExecStart=\(program) job run \(job.rawValue) \(words)

            """,
            "\(name).timer": """
            [Unit]
            Description=Clavitor: \(job.description)

            [Timer]
            OnCalendar=\(calendar)
            RandomizedDelaySec=15min
            # Catches up after the machine was off.
            Persistent=true

            [Install]
            WantedBy=timers.target

            """,
        ]
    }

    /// The unit to enable with `systemctl enable`.
    package func unit(_ job: ScheduledJob) -> String {
        "clavitor-\(job.name).\(job.calendar == nil ? "service" : "timer")"
    }
}

package enum JobPreconditionError: PreconditionError, Equatable, Sendable {
    case path(String)
    case notInstalled(String)

    package var description: String {
        switch self {
        case .path(let path):
            "\(path) must have only letters, digits and . _ - / @ +, because it is used in a systemd unit."
        case .notInstalled(let job):
            "There is no push URL for \(job) on this machine. Create it and the units: clavitor-soc job install"
        }
    }
}

extension UInt8 {
    /// Whether the byte has no special meaning in systemd.syntax(7), unlike spaces, quotes, `%`, `$` and backslashes.
    fileprivate var isPlain: Bool {
        isDigit || isLowercaseLetter || isUppercaseLetter || "._-/@+".utf8.contains(self)
    }
}
