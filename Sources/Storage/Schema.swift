package import SQLite
import Vault

/// The schema's migrations. See `Migration` for the rules.
package enum Schema {
    package static let migrations = [first]

    private static let first = Migration(
        1,
        """
        CREATE TABLE node (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            node_key BLOB NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;

        -- A hash chain; the head is authenticated and rewritten in each commit.
        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY,
            time INTEGER NOT NULL,
            vault BLOB,
            -- The state after a change of records.
            change INTEGER NOT NULL,
            digest BLOB,
            body BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        CREATE INDEX audit_of_vault ON audit (vault, sequence) WHERE vault IS NOT NULL;
        CREATE TABLE audit_head (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            epoch INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            hash BLOB NOT NULL,
            code BLOB NOT NULL
        ) STRICT;

        -- The tables whose rows decide over access, with the column that identifies a row.
        CREATE TABLE recorded (
            name TEXT PRIMARY KEY,
            key TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO recorded (name, key) VALUES ('account', 'vault'), ('agent', 'id'), ('credential', 'id'),
            ('entry', 'id'), ('item', 'id'), ('l2_entry', 'entry'), ('node', 'id'), ('recorded', 'name'), ('spent_invite', 'payload');
        -- The digest of each vault's records after its latest change; of the node's own under 16 zero bytes.
        CREATE TABLE vault_state (
            vault BLOB PRIMARY KEY,
            change INTEGER NOT NULL,
            digest BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE account (
            vault BLOB PRIMARY KEY,
            email_index BLOB NOT NULL UNIQUE,
            email BLOB NOT NULL,
            kdf_memory INTEGER NOT NULL,
            kdf_iterations INTEGER NOT NULL,
            kdf_parallelism INTEGER NOT NULL,
            salt BLOB NOT NULL,
            owner BLOB NOT NULL,
            audit_key BLOB NOT NULL,
            l2_generation INTEGER NOT NULL,
            -- While a rekey runs.
            l2_previous BLOB,
            -- The names of the owner's items, in order, joined by commas.
            items TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE holder (
            id BLOB PRIMARY KEY,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            public_key BLOB NOT NULL
        ) STRICT;
        CREATE INDEX holder_of_vault ON holder (vault);
        CREATE TABLE credential (
            id BLOB PRIMARY KEY,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            holder BLOB NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            lookup BLOB UNIQUE,
            -- The key holder's secret, boxed under the credential or sealed to it.
            box BLOB NOT NULL,
            -- Of a kit or passkey: what the node can do with it in its absence.
            seal BLOB,
            l2_key BLOB,
            created INTEGER NOT NULL,
            expires INTEGER,
            -- The last challenge that a passkey answered, in microseconds.
            challenged INTEGER
        ) STRICT;
        CREATE INDEX credential_of_vault ON credential (vault, kind);
        CREATE INDEX credential_of_holder ON credential (holder);
        -- No record: without it an idle session lives until it expires.
        CREATE TABLE last_use (
            credential BLOB PRIMARY KEY REFERENCES credential (id) ON DELETE CASCADE,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        -- The id is the key holder's with the name.
        CREATE TABLE item (
            id BLOB PRIMARY KEY,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            holder BLOB NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            box BLOB NOT NULL
        ) STRICT;
        CREATE INDEX item_of_vault ON item (vault);
        CREATE INDEX item_of_holder ON item (holder);
        CREATE TABLE agent (
            id BLOB PRIMARY KEY,
            -- Its current key holder.
            holder BLOB NOT NULL UNIQUE REFERENCES holder (id),
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            state INTEGER NOT NULL,
            policy BLOB NOT NULL,
            record_version INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            created INTEGER NOT NULL,
            quota_day INTEGER NOT NULL DEFAULT 0,
            quota_bytes INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX agent_of_vault ON agent (vault);

        CREATE TABLE entry (
            ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
            id BLOB NOT NULL UNIQUE,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            state INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER,
            depositor BLOB,
            -- Names the current version and readers of each part, the older versions and the terms.
            record BLOB NOT NULL
        ) STRICT;
        CREATE INDEX entry_of_vault ON entry (vault, state, ordinal);
        -- The key of an entry's L2 values: its number and the l2Key's generation, under which the client's secret box is.
        CREATE TABLE l2_entry (
            entry BLOB PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            k INTEGER NOT NULL,
            g INTEGER NOT NULL,
            box BLOB NOT NULL
        ) STRICT;
        CREATE INDEX l2_entry_of_vault ON l2_entry (vault, g, entry);
        -- Rows of values, wraps and terms count as far as the entry's record names them. An agent's record is stored here
        -- too, under the agent's id.
        CREATE TABLE value (
            entry BLOB NOT NULL,
            field BLOB NOT NULL,
            part INTEGER NOT NULL,
            version INTEGER NOT NULL,
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            tier INTEGER NOT NULL,
            is_current INTEGER NOT NULL,
            written INTEGER NOT NULL,
            author BLOB NOT NULL,
            -- The key id in the header of the secret box.
            k INTEGER NOT NULL,
            box BLOB NOT NULL,
            PRIMARY KEY (entry, field, part, version)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX value_of_vault ON value (vault, tier);
        CREATE TABLE wrap (
            holder BLOB NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
            entry BLOB NOT NULL,
            field BLOB NOT NULL,
            part INTEGER NOT NULL,
            version INTEGER NOT NULL,
            is_sealed INTEGER NOT NULL,
            box BLOB NOT NULL,
            PRIMARY KEY (holder, entry, field, part, version),
            FOREIGN KEY (entry, field, part, version) REFERENCES value (entry, field, part, version) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX wrap_of_value ON wrap (entry, field, part, version, holder);
        CREATE INDEX wrap_sealed ON wrap (holder) WHERE is_sealed = 1;
        CREATE TABLE term (
            vault BLOB NOT NULL REFERENCES account (vault) ON DELETE CASCADE,
            term BLOB NOT NULL,
            entry BLOB NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
            PRIMARY KEY (vault, term, entry)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX term_of_entry ON term (entry);
        CREATE TABLE answer (
            holder BLOB NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
            key BLOB NOT NULL,
            box BLOB NOT NULL,
            created INTEGER NOT NULL,
            PRIMARY KEY (holder, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE spent_invite (
            payload BLOB PRIMARY KEY,
            spent INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        \(usage)

        -- Finds expired idempotency records without a scan.
        CREATE INDEX answer_by_age ON answer (created);

        -- Counts of failed authentication, by a key that only the node can compute.
        CREATE TABLE abuse (
            key BLOB PRIMARY KEY,
            level INTEGER NOT NULL,
            at INTEGER NOT NULL,
            forgiven INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The checkpoint up to which the audit log was verified, authenticated with the key of its head.
        CREATE TABLE audit_verified (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            sequence INTEGER NOT NULL,
            hash BLOB NOT NULL,
            code BLOB NOT NULL
        ) STRICT;

        -- Authentication code of the schema, for an older program after a rollback.
        CREATE TABLE schema_seal (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            code BLOB NOT NULL
        ) STRICT;
        """)
}
