package ssh

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// netConn is a net.Conn whose addresses are of type A. A protocol package has no business with package net, and the
// library only hands the addresses on.
type netConn[A any] interface {
	io.ReadWriteCloser
	LocalAddr() A
	RemoteAddr() A
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// A tap stands between the library and the connection. It gives the library the identification that was read already,
// keeps what the server says before it is encrypted, and lets the two talk in an order that doesn't depend on which of
// the library's goroutines comes first, so that conversations replay.
type tap[A any] struct {
	netConn[A]

	mu      sync.Mutex
	turn    sync.Cond // something below changed
	ahead   []byte    // to be read first
	heard   []byte    // the server's identification and what came behind it, until its lists are known
	server  cleartext // behind its identification
	sent    int       // messages
	again   int       // messages that the library has said before, and begins with once more
	cipher  int       // messages that are encrypted
	longest int       // message inside the encryption
	newKeys bool      // the last message in the clear was sent
	left    bool      // the connection is another tap's
	closed  bool
	err     error // the first that the connection gave
}

func newTap[A any](c netConn[A], identification string, longest int) *tap[A] {
	line := []byte(identification + "\r\n")
	t := &tap[A]{netConn: c, ahead: line, heard: line, longest: longest}
	t.turn.L = &t.mu
	return t
}

const (
	// A client says its identification and its lists without waiting for the server's (RFC 4253 §4.2, §7.1). Both are sent
	// before the server's lists are read.
	sentFirst = 2
	// mostCipher is what a client without a credential has to say: the service that it wants and the method none.
	mostCipher = 2
	// longestCipher is the length of the longer one, behind a user's name without a contact, with the longest padding and MAC.
	longestCipher = 160
)

var (
	errDone = errors.New("nothing more was asked") // ends the library when it would go on
	errMore = probe.Errorf("login", probe.OutcomeMalformed, "the server wants to hear more before it answers")
)

func (t *tap[A]) Read(p []byte) (int, error) {
	t.mu.Lock()
	if len(t.ahead) > 0 {
		n := copy(p, t.ahead)
		t.ahead = t.ahead[n:]
		t.mu.Unlock()
		return n, nil
	}
	for t.err == nil && !t.closed && !t.readable() {
		t.turn.Wait()
	}
	if err := t.err; err != nil {
		t.mu.Unlock()
		return 0, err
	}
	t.mu.Unlock()
	n, err := t.netConn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if broken := t.hear(p[:n]); broken != nil {
		return 0, broken
	}
	return n, t.note("read", err)
}

// hear follows what the server says in the clear. Lists that lead to a large group are kept from the library, which ends.
func (t *tap[A]) hear(more []byte) error {
	if t.server.over {
		return nil
	}
	known := t.server.begun
	if broken := t.server.follow(more); broken != nil {
		return t.note("read", &probe.Error{Op: opExchange, Outcome: probe.OutcomeMalformed, Err: broken})
	}
	switch {
	case known:
	case t.server.large:
		t.left = true
		fallthrough
	case !t.server.begun:
		t.heard = append(t.heard, more...)
	default:
		t.heard = nil
	}
	if !known && t.left {
		return errLarge
	}
	return nil
}

// anew returns a tap for the library to begin once more with, on the same connection. What it says first was said.
func (t *tap[A]) anew() *tap[A] {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := &tap[A]{netConn: t.netConn, ahead: t.heard, server: t.server, sent: t.sent, again: t.sent, longest: t.longest}
	next.turn.L = &next.mu
	return next
}

// readable reports whether it is time to listen. The server's lists are read behind what a client says first, and what
// it says inside the encryption behind the client's first message there.
func (t *tap[A]) readable() bool {
	if t.newKeys && t.server.over {
		return t.cipher > 0
	}
	return t.sent >= sentFirst
}

// Write sends one message: the library flushes each.
func (t *tap[A]) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.again > 0 {
		t.again--
		return len(p), nil
	}
	if t.newKeys && (t.cipher == mostCipher || len(p) > t.longest) { // a KEXINIT, if the server wants other keys already
		return 0, t.note("send", errMore)
	}
	t.mu.Unlock()
	n, err := t.netConn.Write(p)
	t.mu.Lock()
	t.sent++
	switch {
	case t.newKeys:
		t.cipher++
	case t.sent > 1 && len(p) > 5 && int(binary.BigEndian.Uint32(p)) == len(p)-4:
		t.newKeys = p[5] == msgNewKeys
	}
	t.turn.Broadcast()
	return n, t.note("send", err)
}

func (t *tap[A]) Close() error {
	t.mu.Lock()
	left := t.left
	t.closed = true
	t.turn.Broadcast()
	t.mu.Unlock()
	if left {
		return nil
	}
	return t.netConn.Close()
}

// note keeps the first error: the library goes on to others, and words them its own way. What comes of closing isn't one.
func (t *tap[A]) note(op string, err error) error {
	if err == nil || t.closed {
		return err
	}
	if t.err == nil {
		t.err = err
		if err == io.EOF { // as libraries want it
			t.err = &probe.Error{Op: op, Outcome: probe.OutcomeClosed, Err: err}
		}
		t.turn.Broadcast()
	}
	return err
}

// seen returns what the server said in the clear, and what ended the conversation other than the library.
func (t *tap[A]) seen() (cleartext, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server.over = true // what its goroutines still receive is lost
	return t.server, t.err
}
