// Peer does the hot job of clavitor-node in Go, to have something to compare with: an agent reads
// one field over TLS 1.3, and the audit line is on the disk before the answer leaves.
package main

import (
	stdcontext "context"
	"crypto/subtle"
	"crypto/tls"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

// server answers reads. The statement runs on the pool of readers.
type server struct {
	keys  keys
	rows  *sql.Stmt
	audit *auditLog // nil: no audit
	cache bool
}

// selectRows finds the credential and, if its holder may read it, the field: one statement, because
// crossing from Go into C and opening a read transaction cost more than the join.
const selectRows = `
SELECT c.id, c.vault, c.holder, c.box, coalesce(v.tier, 0), coalesce(v.version, 0), v.box, w.box
FROM credential c
LEFT JOIN wrap w ON w.entry = ? AND w.field = ? AND w.holder = c.holder
LEFT JOIN value v ON v.entry = w.entry AND v.field = w.field
WHERE c.token_id = ?`

// secretValue is the plaintext of a field of tier 1.
type secretValue struct {
	Label string `json:"label"`
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type fieldBody struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Kind    string `json:"kind"`
	Tier    int    `json:"tier"`
	Version int64  `json:"version"`
	Value   string `json:"value"`
}

type auditBody struct {
	Action  string `json:"action"`
	Entry   string `json:"entry"`
	Field   string `json:"field"`
	Holder  string `json:"holder"`
	Version int64  `json:"version"`
	Address string `json:"address"`
}

// rows is what the database says about one request. `wrap` is nil when there is nothing for this holder.
type rows struct {
	credentialID, vault, holder, credential []byte

	tier        byte
	version     int64
	value, wrap []byte
}

// opened is what one connection keeps between requests. Requests on a connection of HTTP/1.1
// come one after the other, so it needs no lock.
type opened struct {
	token   string
	tokenID []byte
	wrapKey []byte
	until   time.Time
}

type openedKey struct{}

const keepOpen = 5 * time.Minute

var (
	errUnauthorized = errors.New("unauthorized")
	errNotFound     = errors.New("no such field")
)

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/livez" {
		w.WriteHeader(http.StatusOK)
		return
	}
	answer, err := s.read(r)
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	case errors.Is(err, errUnauthorized):
		problem(w, http.StatusUnauthorized)
	case errors.Is(err, errNotFound):
		problem(w, http.StatusNotFound)
	default:
		log.Print(err)
		problem(w, http.StatusInternalServerError)
	}
}

func problem(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d,"title":%q}`, status, http.StatusText(status))
}

func (s *server) read(r *http.Request) ([]byte, error) {
	entryText, fieldText, ok := splitPath(r)
	if !ok {
		return nil, errNotFound
	}
	entry, err1 := base64url.DecodeString(entryText)
	field, err2 := base64url.DecodeString(fieldText)
	if err1 != nil || err2 != nil || len(entry) != 16 || len(field) != 16 {
		return nil, errNotFound
	}
	found, wrapKey, err := s.find(r, entry, field)
	if err != nil {
		return nil, err
	}
	if found.wrap == nil {
		return nil, errNotFound
	}
	place := wrapContext(found.vault, entry, field, found.tier, found.version, found.holder)
	dek, err := open(found.wrap, wrapKey, place)
	if err != nil {
		return nil, err
	}
	plaintext, err := open(found.value, dek, valueContext(found.vault, entry, field, found.tier, found.version))
	if err != nil {
		return nil, err
	}
	var secret secretValue
	if err := json.Unmarshal(plaintext, &secret); err != nil {
		return nil, err
	}

	if s.audit != nil {
		body, err := json.Marshal(auditBody{
			Action: "read", Entry: entryText, Field: fieldText, Holder: base64url.EncodeToString(found.holder),
			Version: found.version, Address: r.RemoteAddr,
		})
		if err != nil {
			return nil, err
		}
		boxed := seal(body, s.keys.auditBody, context([]byte("audit"), found.vault), 0)
		if err := s.audit.append(found.vault, boxed); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fieldBody{
		ID: fieldText, Label: secret.Label, Kind: secret.Kind, Tier: int(found.tier), Version: found.version,
		Value: secret.Value,
	})
}

// splitPath takes /api/v1/entries/{id}/fields/{id} apart.
func splitPath(r *http.Request) (entry, field string, ok bool) {
	const prefix = "/api/v1/entries/"
	if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, prefix) {
		return "", "", false
	}
	return strings.Cut(r.URL.Path[len(prefix):], "/fields/")
}

// find reads the rows and proves who asks. The token is looked up on every request, so that a revoked
// one ends at once; opening the holder's key is what a connection may skip.
func (s *server) find(r *http.Request, entry, field []byte) (found rows, wrapKey []byte, err error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	kept := r.Context().Value(openedKey{}).(*opened)
	hit := s.cache && kept.wrapKey != nil && time.Now().Before(kept.until) &&
		subtle.ConstantTimeCompare([]byte(token), []byte(kept.token)) == 1

	var secret, tokenID []byte
	if hit {
		tokenID = kept.tokenID
	} else {
		var ok bool
		if secret, ok = tokenSecret(token); !ok {
			return found, nil, errUnauthorized
		}
		tokenID = derive(secret, []byte("token-id"))
	}
	err = s.rows.QueryRow(entry, field, tokenID).Scan(&found.credentialID, &found.vault, &found.holder,
		&found.credential, &found.tier, &found.version, &found.value, &found.wrap)
	if errors.Is(err, sql.ErrNoRows) {
		return found, nil, errUnauthorized
	} else if err != nil {
		return found, nil, err
	}
	if hit {
		return found, kept.wrapKey, nil
	}

	place := outerCredentialContext(found.vault, found.holder, found.credentialID)
	inner, err := open(found.credential, s.keys.root, place)
	if err != nil {
		return found, nil, fmt.Errorf("credential row is damaged: %w", err)
	}
	credentialKey := derive(secret, []byte("credential"), []byte("agent"))
	holderKey, err := open(inner, credentialKey, credentialContext(found.vault, found.holder, found.credentialID))
	if err != nil {
		return found, nil, errUnauthorized
	}
	wrapKey = derive(holderKey, []byte("holder-wrap"), found.holder)
	*kept = opened{token: token, tokenID: tokenID, wrapKey: wrapKey, until: time.Now().Add(keepOpen)}
	return found, wrapKey, nil
}

func tokenSecret(token string) ([]byte, bool) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return nil, false
	}
	raw, err := base64url.DecodeString(token[len(tokenPrefix):])
	if err != nil || len(raw) != 36 {
		return nil, false
	}
	return raw[:32], crc32.ChecksumIEEE(raw[:32]) == binary.BigEndian.Uint32(raw[32:])
}

func mustPrepare(db *sql.DB, text string) *sql.Stmt {
	statement, err := db.Prepare(text)
	if err != nil {
		log.Fatalf("%s: %v", text, err)
	}
	return statement
}

// openDatabase opens a pool of the given size; idle connections stay, with their statements.
func openDatabase(path, options string, connections int) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on&_mutex=no"+
		"&_secure_delete=on&_busy_timeout=5000"+options)
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9443", "where to listen")
	certFile := flag.String("cert", "", "certificate, PEM")
	keyFile := flag.String("key", "", "its key, PEM")
	path := flag.String("db", "", "database file to make; it must not exist")
	pathsFile := flag.String("paths", "", "file to fill with one line 'path token' for each field")
	entries := flag.Int("entries", 100, "entries to seed, of ten fields each")
	readers := flag.Int("readers", 2*runtime.NumCPU(), "connections that read")
	audit := flag.Bool("audit", true, "commit an audit line before each answer")
	group := flag.Bool("group", false, "let concurrent reads share a commit")
	cache := flag.Bool("cache", true, "keep the holder's key open for the connection, five minutes at most")
	flag.Parse()

	if _, err := os.Stat(*path); *path == "" || err == nil {
		log.Fatalf("-db %q: name a file that does not exist", *path)
	}
	certificate, err := tls.LoadX509KeyPair(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	k := keys{root: random(32), auditBody: random(32), auditHead: derive(random(32), []byte("audit-head"))}
	writer := openDatabase(*path, "", 1)
	line, err := seed(writer, k, *entries, *pathsFile)
	if err != nil {
		log.Fatal(err)
	}
	reader := openDatabase(*path, "&_query_only=on", *readers)

	s := &server{
		keys:  k,
		rows:  mustPrepare(reader, selectRows),
		cache: *cache,
	}
	if *audit {
		s.audit = newAuditLog(writer, k.auditHead, *group)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	line.URL = "https://" + listener.Addr().String()
	json.NewEncoder(os.Stdout).Encode(line)

	web := &http.Server{
		Handler:      s,
		TLSConfig:    &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 alone
		ConnContext: func(ctx stdcontext.Context, _ net.Conn) stdcontext.Context {
			return stdcontext.WithValue(ctx, openedKey{}, new(opened))
		},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(os.Stderr, "", 0),
	}
	stop, cancel := signal.NotifyContext(stdcontext.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go func() {
		<-stop.Done()
		web.Close()
	}()
	if err := web.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	reader.Close()
	writer.Close()
}
