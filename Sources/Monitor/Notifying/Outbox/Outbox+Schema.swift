package import SQLite

extension Outbox {
    /// The tables, as the migration with this number.
    package static func migration(_ number: Int) -> Migration {
        Migration(
            number,
            """
            -- A row is pending when next_attempt is set, delivered or given up when delivered_at or failed_at is.
            CREATE TABLE notification (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                key TEXT NOT NULL UNIQUE,
                channel TEXT NOT NULL,
                payload TEXT NOT NULL,
                created INTEGER NOT NULL,
                -- Parts that the channel has accepted.
                progress INTEGER NOT NULL DEFAULT 0,
                attempts INTEGER NOT NULL DEFAULT 0,
                refusals INTEGER NOT NULL DEFAULT 0,
                -- Whether it no longer blocks others.
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

    /// The tables of single changes, which are composed to a message when it is sent.
    package static func secondMigration(_ number: Int) -> Migration {
        Migration(
            number,
            """
            -- Changes that a recipient (`line`) has not received yet.
            CREATE TABLE telling (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                line TEXT NOT NULL,
                incident INTEGER NOT NULL,
                change TEXT NOT NULL,
                created INTEGER NOT NULL,
                -- Set when the recipient did not accept it: it is sent separately from then on.
                attempts INTEGER NOT NULL DEFAULT 0,
                next_attempt INTEGER
            ) STRICT;
            CREATE INDEX telling_of_line ON telling (line, id);
            -- What a recipient was notified of, by open incident.
            CREATE TABLE heard (
                line TEXT NOT NULL,
                incident INTEGER NOT NULL,
                severity TEXT NOT NULL,
                is_acknowledged INTEGER NOT NULL,
                -- Groups incidents of one cause and region for services that keep incidents open.
                thread TEXT NOT NULL,
                cause TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (line, incident)
            ) STRICT, WITHOUT ROWID;
            -- Time of the last message to a recipient, by cause.
            CREATE TABLE told_cause (
                line TEXT NOT NULL,
                cause TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (line, cause)
            ) STRICT, WITHOUT ROWID;
            -- Delivery state of a recipient. No row: nothing was ever sent.
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
