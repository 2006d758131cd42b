import Vault

/// The counters of each vault's usage.
extension Schema {
    /// SQL for the size of a row with a secret box; must equal `Mutation.bytesAtRest`.
    static func size(_ box: String, _ row: Int) -> String {
        "(length(\(box)) + iif(length(\(box)) > \(RowSize.mostInPlace), \(row + RowSize.overflow), \(row)))"
    }

    static let usage = """
        -- Usage counters, maintained by triggers, so that an older version of the program updates them too.
        CREATE TABLE usage (
            vault BLOB PRIMARY KEY REFERENCES account (vault) ON DELETE CASCADE,
            bytes INTEGER NOT NULL DEFAULT 0,
            entries INTEGER NOT NULL DEFAULT 0,
            fields INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        -- Clamped, so that a planted counter cannot overflow and prevent a deletion.
        CREATE TRIGGER usage_account AFTER INSERT ON account BEGIN
            INSERT INTO usage (vault) VALUES (NEW.vault);
        END;
        CREATE TRIGGER usage_value_insert AFTER INSERT ON value BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.value)),
                fields = MIN(MAX(fields, 0), 1 << 60) + (NEW.is_current = 1 AND NEW.tier > 0)
            WHERE vault = NEW.vault;
        END;
        CREATE TRIGGER usage_value_delete AFTER DELETE ON value BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(size("OLD.box", RowSize.value)),
                fields = MIN(MAX(fields, 0), 1 << 60) - (OLD.is_current = 1 AND OLD.tier > 0)
            WHERE vault = OLD.vault;
        END;
        CREATE TRIGGER usage_value_update AFTER UPDATE OF box, is_current ON value BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.value)) - \(size("OLD.box", RowSize.value)),
                fields = MIN(MAX(fields, 0), 1 << 60) + (NEW.is_current = 1 AND NEW.tier > 0)
                    - (OLD.is_current = 1 AND OLD.tier > 0)
            WHERE vault = NEW.vault;
        END;
        -- A wrap is deleted with its value or with its key holder; the other one still has the vault.
        CREATE TRIGGER usage_wrap_insert AFTER INSERT ON wrap BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.wrap))
            WHERE vault = (SELECT vault FROM holder WHERE id = NEW.holder);
        END;
        CREATE TRIGGER usage_wrap_delete AFTER DELETE ON wrap BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(size("OLD.box", RowSize.wrap)) WHERE vault = COALESCE(
                (SELECT vault FROM holder WHERE id = OLD.holder),
                (SELECT vault FROM value
                    WHERE entry = OLD.entry AND field = OLD.field AND part = OLD.part AND version = OLD.version));
        END;
        CREATE TRIGGER usage_wrap_update AFTER UPDATE OF box ON wrap BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.wrap)) - \(size("OLD.box", RowSize.wrap))
            WHERE vault = (SELECT vault FROM holder WHERE id = NEW.holder);
        END;
        CREATE TRIGGER usage_term_insert AFTER INSERT ON term BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(RowSize.term) WHERE vault = NEW.vault;
        END;
        CREATE TRIGGER usage_term_delete AFTER DELETE ON term BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(RowSize.term) WHERE vault = OLD.vault;
        END;
        -- Before the key holder, because a cascade would delete the records when the vault can no longer be found.
        CREATE TRIGGER usage_holder_delete BEFORE DELETE ON holder BEGIN
            DELETE FROM answer WHERE holder = OLD.id;
        END;
        CREATE TRIGGER usage_answer_insert AFTER INSERT ON answer BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.answer))
            WHERE vault = (SELECT vault FROM holder WHERE id = NEW.holder);
        END;
        CREATE TRIGGER usage_answer_delete AFTER DELETE ON answer BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(size("OLD.box", RowSize.answer))
            WHERE vault = (SELECT vault FROM holder WHERE id = OLD.holder);
        END;
        CREATE TRIGGER usage_entry_insert AFTER INSERT ON entry BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(RowSize.entry), entries = MIN(MAX(entries, 0), 1 << 60) + 1
            WHERE vault = NEW.vault;
        END;
        CREATE TRIGGER usage_entry_delete AFTER DELETE ON entry BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(RowSize.entry), entries = MIN(MAX(entries, 0), 1 << 60) - 1
            WHERE vault = OLD.vault;
        END;

        CREATE TRIGGER usage_l2_entry_insert AFTER INSERT ON l2_entry BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.l2Entry))
            WHERE vault = NEW.vault;
        END;
        CREATE TRIGGER usage_l2_entry_delete AFTER DELETE ON l2_entry BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) - \(size("OLD.box", RowSize.l2Entry))
            WHERE vault = OLD.vault;
        END;
        CREATE TRIGGER usage_l2_entry_update AFTER UPDATE OF box ON l2_entry BEGIN
            UPDATE usage SET bytes = MIN(MAX(bytes, 0), 1 << 60) + \(size("NEW.box", RowSize.l2Entry)) - \(size("OLD.box", RowSize.l2Entry))
            WHERE vault = NEW.vault;
        END;
        """
}
