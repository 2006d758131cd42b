/// systemd units of an operator's machine for what it does on timers, for `~/.config/systemd/user`.
package struct JobUnits: Equatable, Sendable {
    /// Absolute paths.
    private let program: String
    private let state: String
    private let inventory: String

    /// - Throws: `JobRefusal.path`: a unit's command line reads some characters in its own way.
    package init(program: String, state: String, inventory: String) throws(JobRefusal) {
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
            # A machine that was off does it when it is on again.
            Persistent=true

            [Install]
            WantedBy=timers.target

            """,
        ]
    }

    /// What `systemctl enable` takes.
    package func unit(_ job: ScheduledJob) -> String {
        "clavitor-\(job.name).\(job.calendar == nil ? "service" : "timer")"
    }
}

package enum JobRefusal: Refusal, Equatable, Sendable {
    case path(String)
    case notInstalled(String)

    package var description: String {
        switch self {
        case .path(let path):
            "\(path) has a character that a systemd unit reads in its own way. Use letters, digits and . _ - / @ +."
        case .notInstalled(let job):
            "There is no push URL for \(job) here. `clavitor-soc job install` makes it, and the units."
        }
    }
}

extension UInt8 {
    /// Nothing to systemd.syntax(7): no blank, quote, `%`, `$` or backslash.
    fileprivate var isPlain: Bool {
        isDigit || isLowercaseLetter || isUppercaseLetter || "._-/@+".utf8.contains(self)
    }
}
