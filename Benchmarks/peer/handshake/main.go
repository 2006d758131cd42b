// Handshake opens full TLS 1.3 handshakes against a server and says how many it got per second.
// No session cache, so nothing is resumed. The server's share is read from outside, by measure.py.
package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9443", "server")
	name := flag.String("name", "localhost", "server name to send")
	count := flag.Int64("n", 2000, "handshakes in all")
	parallel := flag.Int("c", 8, "connections at a time")
	flag.Parse()

	// The certificate is made for the benchmark and measured, not trusted.
	config := &tls.Config{
		ServerName: *name, InsecureSkipVerify: true,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
	}
	var started, failed int64
	var firstError sync.Once
	var workers sync.WaitGroup
	begin := time.Now()
	for i := 0; i < *parallel; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for atomic.AddInt64(&started, 1) <= *count {
				if err := handshake(*addr, config); err != nil {
					atomic.AddInt64(&failed, 1)
					firstError.Do(func() { log.Print(err) })
				}
			}
		}()
	}
	workers.Wait()
	seconds := time.Since(begin).Seconds()
	done := *count - failed
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"handshakes": done, "failed": failed, "seconds": seconds, "handshakes_per_s": float64(done) / seconds,
	})
	if failed > 0 {
		os.Exit(1)
	}
}

// handshake ends with close_notify and waits for the server to end too. By then the server has
// checked our Finished: closing at once could reset the connection before it came to that.
func handshake(addr string, config *tls.Config) error {
	raw, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		return err
	}
	if state := conn.ConnectionState(); state.DidResume || state.Version != tls.VersionTLS13 {
		return errors.New("not a full TLS 1.3 handshake")
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}
