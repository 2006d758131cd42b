package main

import (
	"bufio"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
)

const schema = `
CREATE TABLE credential (token_id BLOB PRIMARY KEY, id BLOB NOT NULL, vault BLOB NOT NULL,
    holder BLOB NOT NULL, box BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE value (entry BLOB NOT NULL, field BLOB NOT NULL, tier INTEGER NOT NULL, version INTEGER NOT NULL,
    box BLOB NOT NULL, PRIMARY KEY (entry, field)) STRICT;
CREATE TABLE wrap (entry BLOB NOT NULL, field BLOB NOT NULL, holder BLOB NOT NULL, box BLOB NOT NULL,
    PRIMARY KEY (entry, field, holder)) STRICT;
CREATE TABLE audit (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, vault BLOB NOT NULL, body BLOB NOT NULL,
    hash BLOB NOT NULL) STRICT;
CREATE TABLE audit_head (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32), zeroblob(32));
`

const (
	fieldsPerEntry = 10
	tokenPrefix    = "clv_agt_"
	rootKeyID      = 1
)

var base64url = base64.RawURLEncoding

// keys are made anew on each start; the database is of no use without them.
type keys struct {
	root, auditBody, auditHead []byte
}

// seeded is what a load generator needs; it is printed as one line of JSON.
type seeded struct {
	URL     string `json:"url"`
	PID     int    `json:"pid"`
	Token   string `json:"token"`
	Entry   string `json:"entry"`
	Field   string `json:"field"`
	Entries int    `json:"entries"`
	Fields  int    `json:"fields"`
	Paths   string `json:"paths,omitempty"`
}

// newToken is 32 random bytes behind the prefix, with a checksum for secret scanners.
func newToken(secret []byte) string {
	sum := crc32.ChecksumIEEE(secret)
	return tokenPrefix + base64url.EncodeToString(binary.BigEndian.AppendUint32(secret[:32:32], sum))
}

// seed fills a new database with one vault, one agent and fields that the agent may read. With
// a file name it also writes one line "path token" for each field.
func seed(db *sql.DB, k keys, entries int, pathsFile string) (seeded, error) {
	if _, err := db.Exec(schema); err != nil {
		return seeded{}, err
	}
	tx, err := db.Begin()
	if err != nil {
		return seeded{}, err
	}
	defer tx.Rollback()

	vault, holder, row := random(16), random(16), random(16)
	secret, holderKey := random(32), random(32)
	credentialKey := derive(secret, []byte("credential"), []byte("agent"))
	inner := seal(holderKey, credentialKey, credentialContext(vault, holder, row), 0)
	outer := seal(inner, k.root, outerCredentialContext(vault, holder, row), rootKeyID)
	tokenID := derive(secret, []byte("token-id"))
	_, err = tx.Exec("INSERT INTO credential VALUES (?, ?, ?, ?, ?)", tokenID, row, vault, holder, outer)
	if err != nil {
		return seeded{}, err
	}

	paths, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if pathsFile != "" {
		paths, err = os.OpenFile(pathsFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	if err != nil {
		return seeded{}, err
	}
	defer paths.Close()
	lines := bufio.NewWriter(paths)

	out := seeded{PID: os.Getpid(), Token: newToken(secret), Entries: entries, Fields: fieldsPerEntry, Paths: pathsFile}
	wrapKey := derive(holderKey, []byte("holder-wrap"), holder)
	for e := 0; e < entries; e++ {
		entry := random(16)
		for f := 0; f < fieldsPerEntry; f++ {
			field, dek := random(16), random(32)
			plaintext, err := json.Marshal(secretValue{
				Label: fmt.Sprintf("field %d", f), Kind: "password", Value: base64url.EncodeToString(random(18)),
			})
			if err != nil {
				return seeded{}, err
			}
			value := seal(plaintext, dek, valueContext(vault, entry, field, 1, 1), 0)
			wrap := seal(dek, wrapKey, wrapContext(vault, entry, field, 1, 1, holder), 0)
			if _, err := tx.Exec("INSERT INTO value VALUES (?, ?, 1, 1, ?)", entry, field, value); err != nil {
				return seeded{}, err
			}
			if _, err := tx.Exec("INSERT INTO wrap VALUES (?, ?, ?, ?)", entry, field, holder, wrap); err != nil {
				return seeded{}, err
			}
			out.Entry, out.Field = base64url.EncodeToString(entry), base64url.EncodeToString(field)
			fmt.Fprintf(lines, "/api/v1/entries/%s/fields/%s %s\n", out.Entry, out.Field, out.Token)
		}
	}
	if err := lines.Flush(); err != nil {
		return seeded{}, err
	}
	return out, tx.Commit()
}

func credentialContext(vault, holder, row []byte) []byte {
	return context([]byte("credential"), vault, holder, []byte("agent"), row)
}

func outerCredentialContext(vault, holder, row []byte) []byte {
	return context([]byte("root"), []byte("credential"), vault, holder, []byte("agent"), row)
}

func valueContext(vault, entry, field []byte, tier byte, version int64) []byte {
	return context([]byte("value"), vault, entry, field, []byte{tier}, u64(version))
}

func wrapContext(vault, entry, field []byte, tier byte, version int64, holder []byte) []byte {
	return context([]byte("wrap"), vault, entry, field, []byte{tier}, u64(version), holder)
}
