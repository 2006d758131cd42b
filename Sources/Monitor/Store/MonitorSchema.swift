package import SQLite

/// Schema of the monitor's database file. Heartbeats, minutes and hours are keyed by time, so that writes append,
/// deletes remove a contiguous range, and a year of one node stays within a megabyte.
package enum MonitorSchema {
    package static let migrations = [
        first, Outbox.migration(2), tokens, Outbox.secondMigration(4), intervals, plans, secondFactor,
        declared,
    ]

    /// Purpose of a tool's token; null for a browser session.
    private static let tokens = Migration(3, "ALTER TABLE session ADD COLUMN purpose TEXT;")

    private static let intervals = Migration(
        5,
        """
        -- Milliseconds between heartbeats; null for the fleet's interval.
        ALTER TABLE node ADD COLUMN every INTEGER;
        DROP TRIGGER node_changed;
        CREATE TRIGGER node_changed AFTER UPDATE OF name, region, token_hash, every ON node
            BEGIN UPDATE roster SET version = version + 1; END;
        """)

    private static let plans = Migration(6, "CREATE TABLE plan (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;")

    /// Adds the operator's TOTP seed, encrypted with a key derived from the password, and the step of the last accepted
    /// code.
    private static let secondFactor = Migration(
        7, "ALTER TABLE operator ADD COLUMN totp BLOB; ALTER TABLE operator ADD COLUMN totp_step INTEGER;")

    /// Marks nodes that the configuration lists; they are removed when the list no longer contains them.
    private static let declared = Migration(8, "ALTER TABLE node ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;")

    private static let first = Migration(
        1,
        """
        CREATE TABLE node (
            -- Never reused: the data of a removed node must not be attributed to another one.
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            region TEXT,
            token_hash BLOB NOT NULL UNIQUE,
            added INTEGER NOT NULL,
            -- The node's evaluation state as JSON, written at `kept` (Unix milliseconds).
            memory TEXT,
            kept INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        -- Incremented with every change of the node list, so that a running monitor detects one cheaply.
        CREATE TABLE roster (version INTEGER NOT NULL) STRICT;
        INSERT INTO roster VALUES (1);
        CREATE TRIGGER node_added AFTER INSERT ON node BEGIN UPDATE roster SET version = version + 1; END;
        CREATE TRIGGER node_removed AFTER DELETE ON node BEGIN UPDATE roster SET version = version + 1; END;
        CREATE TRIGGER node_changed AFTER UPDATE OF name, region, token_hash ON node
            BEGIN UPDATE roster SET version = version + 1; END;

        -- One row per heartbeat, kept for a day.
        CREATE TABLE beat (
            at INTEGER NOT NULL,
            node INTEGER NOT NULL,
            boot TEXT,
            sequence INTEGER,
            epoch INTEGER,
            audit_sequence INTEGER,
            audit_head TEXT,
            metrics BLOB NOT NULL,
            PRIMARY KEY (at, node)
        ) STRICT, WITHOUT ROWID;

        -- Means: `at` counts minutes, or hours, since 1970.
        CREATE TABLE minute (
            at INTEGER NOT NULL,
            node INTEGER NOT NULL,
            beats INTEGER NOT NULL,
            metrics BLOB NOT NULL,
            PRIMARY KEY (at, node)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE hour (
            at INTEGER NOT NULL,
            node INTEGER NOT NULL,
            beats INTEGER NOT NULL,
            metrics BLOB NOT NULL,
            PRIMARY KEY (at, node)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE rolled (id INTEGER PRIMARY KEY CHECK (id = 1), hour INTEGER NOT NULL) STRICT;

        CREATE TABLE incident (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            node TEXT,
            is_open INTEGER NOT NULL,
            is_told INTEGER NOT NULL,
            opened INTEGER NOT NULL,
            resolved INTEGER,
            body TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX one_open_incident ON incident (key) WHERE is_open = 1;
        CREATE INDEX incident_of_node ON incident (node, id);
        CREATE TABLE incident_change (
            incident INTEGER NOT NULL,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            severity TEXT NOT NULL,
            hidden_by TEXT,
            by TEXT,
            note TEXT,
            UNIQUE (incident, at, kind, severity)
        ) STRICT;

        CREATE TABLE silence (id INTEGER PRIMARY KEY, until INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE TABLE lease (id INTEGER PRIMARY KEY, until INTEGER NOT NULL, body TEXT NOT NULL) STRICT;

        CREATE TABLE operator (
            name TEXT PRIMARY KEY,
            salt BLOB NOT NULL,
            hash BLOB NOT NULL,
            added INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE session (
            token_hash BLOB PRIMARY KEY,
            operator TEXT NOT NULL REFERENCES operator (name) ON DELETE CASCADE,
            csrf TEXT NOT NULL,
            expires INTEGER NOT NULL,
            reads_only INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """)
}
