package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"sync"
	"time"
)

// line is one audit line on its way to the disk.
type line struct {
	vault, body []byte
	done        chan error
}

// auditLog appends to the hash chain through the one writer connection. The head row, MACed, is
// rewritten in each commit.
type auditLog struct {
	headKey                          []byte
	begin, insert, head, end, cancel *sql.Stmt

	mutex sync.Mutex // guards what follows, and the order of commits
	seq   int64
	last  [sha256.Size]byte

	queue chan *line // nil: one commit per line
}

const largestGroup = 256

func newAuditLog(db *sql.DB, headKey []byte, group bool) *auditLog {
	log := &auditLog{
		headKey: headKey,
		begin:   mustPrepare(db, "BEGIN IMMEDIATE"),
		insert:  mustPrepare(db, "INSERT INTO audit (seq, time, vault, body, hash) VALUES (?, ?, ?, ?, ?)"),
		head:    mustPrepare(db, "UPDATE audit_head SET seq = ?, hash = ?, mac = ? WHERE id = 1"),
		end:     mustPrepare(db, "COMMIT"),
		cancel:  mustPrepare(db, "ROLLBACK"),
	}
	if group {
		log.queue = make(chan *line, largestGroup)
		go log.writeGroups()
	}
	return log
}

// append returns when the line is on the disk.
func (log *auditLog) append(vault, body []byte) error {
	if log.queue == nil {
		return log.commit([]*line{{vault: vault, body: body}})
	}
	waiting := &line{vault: vault, body: body, done: make(chan error, 1)}
	log.queue <- waiting
	return <-waiting.done
}

// writeGroups commits together whatever queued up while the last commit was under way.
func (log *auditLog) writeGroups() {
	group := make([]*line, 0, largestGroup)
	for first := range log.queue {
		group = append(group[:0], first)
	gather:
		for len(group) < largestGroup {
			select {
			case next := <-log.queue:
				group = append(group, next)
			default:
				break gather
			}
		}
		err := log.commit(group)
		for _, each := range group {
			each.done <- err
		}
	}
}

// commit writes the lines and the new head in one transaction.
func (log *auditLog) commit(lines []*line) error {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	if _, err := log.begin.Exec(); err != nil {
		return err
	}
	seq, last, err := log.write(lines)
	if err == nil {
		_, err = log.end.Exec()
	}
	if err != nil {
		log.cancel.Exec() // the first error is the one to tell
		return err
	}
	log.seq, log.last = seq, last
	return nil
}

func (log *auditLog) write(lines []*line) (int64, [sha256.Size]byte, error) {
	seq, last, now := log.seq, log.last, time.Now().Unix()
	text := make([]byte, 0, 512)
	for _, each := range lines {
		seq++
		text = append(text[:0], "clav1/audit"...)
		text = append(text, last[:]...)
		text = binary.BigEndian.AppendUint64(text, uint64(seq))
		text = binary.BigEndian.AppendUint64(text, uint64(now))
		text = append(text, each.vault...)
		text = binary.BigEndian.AppendUint32(text, uint32(len(each.body)))
		text = append(text, each.body...)
		last = sha256.Sum256(text)
		if _, err := log.insert.Exec(seq, now, each.vault, each.body, last[:]); err != nil {
			return 0, last, err
		}
	}
	mac := hmac.New(sha256.New, log.headKey)
	mac.Write(u64(seq))
	mac.Write(last[:])
	_, err := log.head.Exec(seq, last[:], mac.Sum(nil))
	return seq, last, err
}
