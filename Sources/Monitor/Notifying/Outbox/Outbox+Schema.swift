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

    /// Changes wait one by one, and become a message when it is sent.
    package static func secondMigration(_ number: Int) -> Migration {
        Migration(
            number,
            """
            -- What a line has not been told yet.
            CREATE TABLE telling (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                line TEXT NOT NULL,
                incident INTEGER NOT NULL,
                change TEXT NOT NULL,
                created INTEGER NOT NULL,
                -- Set when it was what the line could not take: it is tried by itself from then on.
                attempts INTEGER NOT NULL DEFAULT 0,
                next_attempt INTEGER
            ) STRICT;
            CREATE INDEX telling_of_line ON telling (line, id);
            -- What a line knows of each incident whose end it has not heard.
            CREATE TABLE heard (
                line TEXT NOT NULL,
                incident INTEGER NOT NULL,
                severity TEXT NOT NULL,
                is_acknowledged INTEGER NOT NULL,
                -- Incidents of one cause and region are one thing to services that keep things open.
                thread TEXT NOT NULL,
                cause TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (line, incident)
            ) STRICT, WITHOUT ROWID;
            -- When a line was last told of a cause.
            CREATE TABLE told_cause (
                line TEXT NOT NULL,
                cause TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (line, cause)
            ) STRICT, WITHOUT ROWID;
            -- How a line fares. No row: nothing was ever sent there.
            CREATE TABLE line (
                name TEXT PRIMARY KEY,
                sent INTEGER,
                failing_since INTEGER,
                attempts INTEGER NOT NULL DEFAULT 0,
                refusals INTEGER NOT NULL DEFAULT 0,
                next_attempt INTEGER,
                last_error TEXT
            ) STRICT, WITHOUT ROWID;

            INSERT INTO telling (line, incident, change, created)
            SELECT channel, change.value ->> '$.incident.id', change.value, created
            FROM notification, json_each(payload, '$.changes') AS change
            WHERE next_attempt IS NOT NULL AND json_valid(payload) ORDER BY notification.id, change.key;
            INSERT INTO heard (line, incident, severity, is_acknowledged, thread, cause, at)
            SELECT told.key, incident, state ->> '$."told-severity"', state ->> '$."is-acknowledged"',
                incident || '/' || (state ->> '$.incident.opened'),
                (state ->> '$.incident.rule') || '/' || coalesce(state ->> '$.incident.region', ''), told.value
            FROM escalation, json_each(state, '$.told') AS told
            WHERE json_valid(state)
                AND NOT EXISTS (SELECT 1 FROM telling WHERE line = told.key AND telling.incident = escalation.incident);
            DROP TABLE notification;
            """)
    }
}
