package monitor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	scanning "github.com/handclasp/handclasp/scan"
)

// A street is a network of servers that say what a script has them say. No time passes in it.
type street struct {
	servers map[netip.AddrPort]*server
	names   map[string][]netip.Addr
	down    error // the line's trouble; nil for none
}

// A server is one of them, as it is now.
type server struct {
	kind    string // ftp, smtp, rsync or ssh; or raw, which says its banner and hangs up
	busy    bool   // turns everybody away for now
	gone    bool   // nobody listens
	silent  bool   // doesn't answer calls
	slow    bool   // says nothing behind its greeting
	banner  string
	anon    bool            // FTP: anybody may come in
	nodata  bool            // FTP: refuses data connections
	modules map[string]bool // rsync: those that are there, and whether anybody may enter
	key     byte            // SSH: whose key it has
}

func newStreet() *street {
	return &street{servers: map[netip.AddrPort]*server{}, names: map[string][]netip.Addr{}}
}

func (s *street) put(addr string, srv server) *server {
	s.servers[netip.MustParseAddrPort(addr)] = &srv
	return &srv
}

// LookupNetIP implements [scanning.Resolver].
func (s *street) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	if addrs := s.names[strings.TrimSuffix(name, ".")]; addrs != nil {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

const dataPort = 40000

func (s *street) dial(_ context.Context, _, address string) (net.Conn, error) {
	at := netip.MustParseAddrPort(address)
	if s.down != nil {
		return nil, s.down
	}
	if at.Port() == dataPort {
		for other, srv := range s.servers {
			if other.Addr() == at.Addr() && srv.kind == "ftp" && !srv.nodata {
				return &line{at: at, out: *bytes.NewBufferString("-rw-r--r-- 1 0 0 5 Jan 01 2024 pub.txt\r\n"), closed: true}, nil
			}
		}
		return nil, syscall.ECONNREFUSED
	}
	srv := s.servers[at]
	if srv == nil || srv.gone {
		return nil, syscall.ECONNREFUSED
	}
	if srv.silent {
		return nil, os.ErrDeadlineExceeded
	}
	if srv.kind == "ssh" {
		return srv.ssh()
	}
	l := &line{at: at, serve: srv.serve()}
	l.say(srv.greeting())
	if srv.busy || srv.kind == "raw" {
		l.closed = true
	}
	if srv.slow {
		l.serve = func(string) (string, bool) { return "", false }
	}
	return l, nil
}

func (s *server) greeting() string {
	switch s.kind {
	case "ftp":
		if s.busy {
			return "421 Too many connections\r\n"
		}
		return "220 " + s.banner + "\r\n"
	case "raw":
		return s.banner
	case "smtp":
		if s.busy {
			return "421 4.3.2 Too busy\r\n"
		}
		return "220 mx.example ESMTP Postfix\r\n"
	}
	return "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"
}

// serve answers one connection's lines, and says whether that is the last answer.
func (s *server) serve() func(string) (string, bool) {
	user, greeted := "", false
	return func(said string) (string, bool) {
		verb, argument, _ := strings.Cut(said, " ")
		switch verb = strings.ToUpper(verb); {
		case s.kind == "rsync":
			if !greeted {
				greeted = true
				return "", false
			}
			return s.module(said), true
		case verb == "QUIT":
			return "221 bye\r\n", true
		case s.kind == "smtp" && verb == "EHLO":
			return "250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n", false
		case s.kind == "smtp":
			return "502 no\r\n", false
		case verb == "USER":
			user = argument
			return "331 password\r\n", false
		case verb == "PASS" && s.anon && (user == "anonymous" || user == "ftp"):
			return "230 in\r\n", false
		case verb == "PASS":
			return "530 no\r\n", false
		case verb == "FEAT":
			return "211-Features:\r\n UTF8\r\n211 End\r\n", false
		case verb == "SYST":
			return "215 UNIX Type: L8\r\n", false
		case verb == "PWD":
			return "257 \"/\"\r\n", false
		case verb == "TYPE":
			return "200 ok\r\n", false
		case verb == "EPSV":
			return fmt.Sprintf("229 ok (|||%d|)\r\n", dataPort), false
		case verb == "LIST":
			return "150 here it comes\r\n226 done\r\n", false
		}
		return "500 what?\r\n", false
	}
}

func (s *server) module(name string) string {
	open, there := s.modules[name]
	switch {
	case s.busy:
		return "@ERROR: max connections (4) reached -- try again later\n"
	case name == "" || name == "#list":
		list := ""
		for _, module := range slices.Sorted(maps.Keys(s.modules)) {
			list += module + "\t\n"
		}
		return list + "@RSYNCD: EXIT\n"
	case !there:
		return "@ERROR: Unknown module '" + name + "'\n"
	case open:
		return "@RSYNCD: OK\n"
	}
	return "@RSYNCD: AUTHREQD aGVsbG8\n"
}

// ssh is a connection to a server whose key is made of one byte.
func (s *server) ssh() (net.Conn, error) {
	config := &ssh.ServerConfig{NoClientAuth: false, PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }}
	signer, _ := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{s.key}, ed25519.SeedSize))) // of the right size
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0") // since both sides talk at once
	if err != nil {
		return nil, err
	}
	go func() {
		far, err := l.Accept()
		_ = l.Close()
		if err != nil {
			return
		}
		_, _, _, _ = ssh.NewServerConn(far, config) // ends with the prober
		_ = far.Close()
	}()
	return net.Dial("tcp", l.Addr().String())
}

// A line is a connection whose server answers at once, or never.
type line struct {
	at     netip.AddrPort
	serve  func(line string) (reply string, last bool)
	mu     sync.Mutex
	in     string
	out    bytes.Buffer
	closed bool
}

func (l *line) say(text string) { l.out.WriteString(text) }

func (l *line) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.out.Len() > 0:
		return l.out.Read(p)
	case l.closed:
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, syscall.EPIPE
	}
	l.in += string(p)
	for {
		said, rest, whole := strings.Cut(l.in, "\n")
		if !whole || l.closed {
			return len(p), nil
		}
		l.in = rest
		reply, last := l.serve(strings.TrimSuffix(said, "\r"))
		l.say(reply)
		l.closed = last
	}
}

func (l *line) Close() error { return nil }
func (l *line) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.1:50000"))
}
func (l *line) RemoteAddr() net.Addr             { return net.TCPAddrFromAddrPort(l.at) }
func (l *line) SetDeadline(time.Time) error      { return nil }
func (l *line) SetReadDeadline(time.Time) error  { return nil }
func (l *line) SetWriteDeadline(time.Time) error { return nil }

// how says how a night's scan is made.
type how struct {
	level probe.Level
	rules []finding.Rule // nil for all
}

// scan scans targets with the probers that are built in, as of a night.
func (s *street) scan(t testing.TB, n int, h how, targets ...string) iter.Seq[finding.Entry] {
	t.Helper()
	at := begun.AddDate(0, 0, n)
	rules := h.rules
	if rules == nil {
		rules = handclasp.Rules()
	}
	id := fmt.Sprintf("night-%d", n)
	entries := []finding.Entry{{Header: &finding.Header{Scan: id, Level: h.level, Started: at}}}
	footer := &finding.Footer{Scan: id, Complete: true}
	for _, p := range handclasp.Probers() {
		entries[0].Header.Protocols = append(entries[0].Header.Protocols, p.Spec().Protocol)
	}
	o := &handclasp.Options{Rules: rules, Comparisons: []finding.Comparison{}, Order: scanning.EndpointOptions{Resolver: s, Seed: uint64(n)}}
	o.Scan.Probe = probe.Options{Dial: s.dial, Level: h.level}
	for r, err := range handclasp.Scan(t.Context(), targets, o) {
		if err != nil {
			var bad *scanning.InputError
			require.ErrorAs(t, err, &bad)
			footer.Unresolved = append(footer.Unresolved, bad.Unresolved)
			continue
		}
		r.Started, r.Scan = at, id
		entries = append(entries, finding.Entry{Record: r})
	}
	// What compares results is judged once all are there, as the command does it.
	j := finding.NewJudge(rules, handclasp.Comparisons())
	for _, e := range entries[1:] {
		j.Learn(e.Result)
	}
	for i := range entries[1:] {
		entries[i+1].Findings = j.Evaluate(entries[i+1].Result)
	}
	return slices.Values(append(entries, finding.Entry{Footer: footer}))
}
