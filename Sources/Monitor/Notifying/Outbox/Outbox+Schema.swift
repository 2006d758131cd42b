package import SQLite

extension Outbox {
    /// The tables, as the step of the schema with this number.
    package static func migration(_ number: Int) -> Migration {
        Migration(
            number,
            """
            -- A row is waiting when next_attempt is set, delivered or given up when delivered_at or failed_at is.
            CREATE TABLE notification (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                key TEXT NOT NULL UNIQUE,
                channel TEXT NOT NULL,
                payload TEXT NOT NULL,
                created INTEGER NOT NULL,
                -- Pieces that the channel has taken already.
                progress INTEGER NOT NULL DEFAULT 0,
                attempts INTEGER NOT NULL DEFAULT 0,
                refusals INTEGER NOT NULL DEFAULT 0,
                -- Whether others may go first while it waits.
                steps_aside INTEGER NOT NULL DEFAULT 0,
                next_attempt INTEGER,
                delivered_at INTEGER,
                failed_at INTEGER,
                last_error TEXT
            ) STRICT;
            CREATE INDEX notification_waiting ON notification (channel, id) WHERE next_attempt IS NOT NULL;
            CREATE INDEX notification_delivered ON notification (delivered_at) WHERE delivered_at IS NOT NULL;
            CREATE INDEX notification_failed ON notification (failed_at) WHERE failed_at IS NOT NULL;
            CREATE TABLE escalation (
                incident INTEGER PRIMARY KEY,
                state TEXT NOT NULL,
                next_due INTEGER
            ) STRICT;
            CREATE INDEX escalation_due ON escalation (next_due) WHERE next_due IS NOT NULL;
            """)
    }
}
