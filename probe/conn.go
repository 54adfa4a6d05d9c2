package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Conn is one connection of a session: TCP, TLS over TCP, or UDP. It is used by one goroutine at a time.
type Conn struct {
	s           *Session
	id          int
	network     Network
	raw         wire
	rw          io.ReadWriter // &raw, or the TLS connection above it
	receiveOnly bool
	talked      atomic.Bool // plaintext was sent or received
	secure      bool        // TLS is spoken
	aborted     bool        // a context narrower than the session's ended; guarded by s.mu
	closed      bool
	spoiled     bool // a handshake failed: what the server takes the next bytes for is anybody's guess
	wanted      bool // the server asked for a client certificate, and said nothing inside TLS since
	check       Guard
	label       string      // what the guard called the last message
	answered    bool        // something came behind it
	over        bool        // it was a ClientHello, behind which nothing is sent
	handshaken  *TLS        // done already by who handed the connection over
	hungUp      atomic.Bool // closed below a read or write that is under way

	buf  []byte // from the pool
	r, w int    // buf[r:w] is received and unread
	err  error  // why reading ended, for good

	elsewhere []Stray // datagrams of others
}

const (
	bufferSize   = 1 << 10  // takes most replies, and there may be a thousand probes waiting for one
	bulkSize     = 16 << 10 // for a server that has more to say
	datagramSize = 64 << 10 // a UDP payload is at most 65,507 bytes
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Secure reports whether TLS is spoken.
func (c *Conn) Secure() bool { return c.secure }

func (c *Conn) datagrams() bool { return c.network == UDP }

// Send writes one message. The guard sees its plaintext and names or refuses it; then come the budget, the transcript
// and the wire. What the guard refuses gives [OutcomeForbidden] and sends nothing.
func (c *Conn) Send(plain []byte) error { return c.send(plain, c.guard) }

func (c *Conn) send(plain []byte, guard func([]byte) (string, error)) error {
	if err := c.usable("send"); err != nil {
		return err
	}
	label, err := guard(plain)
	if err != nil {
		return &Error{Op: "send", Outcome: OutcomeForbidden, Err: err}
	}
	if c.s.bytesOut.Load()+int64(len(plain)) > c.s.opts.Limits.BytesOut {
		return &Error{Op: "send", Outcome: OutcomeLimit, Err: &LimitError{Limit: "BytesOut", Value: c.s.opts.Limits.BytesOut}}
	}
	if c.s.life.Err() != nil {
		return c.failedSend(c.s.contextError("send"))
	}
	c.s.log.sent(c.id, plain, label)
	c.talked.Store(true)
	c.label, c.answered = label, false
	if _, err := c.rw.Write(plain); err != nil {
		return c.failedSend(c.ioError("send", err, c.brokenOutcome()).unwelcome(c.wanted))
	}
	return nil
}

func (c *Conn) failedSend(e *Error) error {
	c.s.log.add(Event{Conn: c.id, Dir: DirEnd, Label: "send", Outcome: e.Outcome})
	return e
}

// usable returns why nothing may be done with the connection any more, which is not the server's doing.
func (c *Conn) usable(op string) *Error {
	switch {
	case c.closed:
		return errClosed(op)
	case c.spoiled:
		return Errorf(op, OutcomeInternal, "the TLS handshake failed before")
	}
	return nil
}

func errClosed(op string) *Error { return &Error{Op: op, Outcome: OutcomeInternal, Err: net.ErrClosed} }

func (c *Conn) guard(plain []byte) (label string, err error) {
	switch {
	case c.receiveOnly:
		return "", errors.New("this connection receives only")
	case c.s.opts.Level == LevelGreeting:
		return "", errors.New("nothing is sent at level greeting")
	case c.over:
		return "", errors.New("nothing is sent behind a bare ClientHello")
	}
	if c.check == nil {
		c.check = c.s.spec.NewGuard(c.s.opts.Contact)
	}
	label, err = c.check(c.s.opts.Level, plain)
	if err == nil && label == "" {
		return "", fmt.Errorf("the guard has no name for %q", clip(plain))
	}
	return label, err
}

// brokenOutcome is for errors that say nothing of themselves: inside TLS they are crypto/tls's, such as plaintext
// between two records.
func (c *Conn) brokenOutcome() Outcome {
	if c.secure {
		return OutcomeTLS
	}
	return OutcomeClosed
}

func clip(b []byte) []byte { return b[:min(len(b), 64)] }

// fill reads more into the buffer, which has room for at least one byte.
func (c *Conn) fill() error {
	if err := c.readable(); err != nil {
		return err
	}
	c.room()
	n, err := c.receive(c.buf[c.w:])
	c.w += n
	return err
}

// readable returns why nothing can be read any more.
func (c *Conn) readable() error {
	if c.err != nil {
		return c.err
	}
	return asError(c.usable("read"))
}

// receive reads once.
func (c *Conn) receive(p []byte) (int, error) {
	n, err := c.rw.Read(p)
	if n > 0 {
		c.s.log.received(c.id, p[:n], c.datagrams())
		c.talked.Store(true)
		c.wanted, c.answered = false, true
	}
	switch {
	case err != nil:
		if err = c.ended(err); n > 0 {
			return n, nil // the bytes first; the error stays for the next read
		}
	case n == 0 && !c.datagrams():
		err = &Error{Op: "read", Outcome: OutcomeInternal, Err: io.ErrNoProgress}
	}
	return n, err
}

// ended notes why reading ended.
func (c *Conn) ended(err error) error {
	e := c.ioError("read", err, c.brokenOutcome()).unwelcome(c.wanted)
	c.err = e
	if !c.hungUp.Load() {
		c.s.log.add(Event{Conn: c.id, Dir: DirEnd, Outcome: e.Outcome})
	}
	return e
}

// room makes place behind buf[r:w], by moving it to the front or by growing the buffer.
func (c *Conn) room() {
	switch {
	case c.buf == nil && c.datagrams():
		c.buf = make([]byte, datagramSize)
	case c.buf == nil:
		c.buf = buffers.Get().(*[bufferSize]byte)[:]
	case c.r == c.w && c.w == len(c.buf) && c.w < bulkSize:
		c.resize(2 * len(c.buf)) // the last read filled it
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w < len(c.buf):
	case c.r > 0:
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	default:
		c.resize(2 * len(c.buf))
	}
}

func (c *Conn) resize(size int) {
	grown := make([]byte, size)
	n := copy(grown, c.Buffered())
	c.release()
	c.buf, c.w = grown, n
}

// release gives the buffer away, and what is in it.
func (c *Conn) release() {
	if len(c.buf) == bufferSize {
		buffers.Put((*[bufferSize]byte)(c.buf))
	}
	c.buf, c.r, c.w = nil, 0, 0
}

// Read reads what is there, and waits only if nothing is.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.r == c.w && len(p) >= bufferSize && !c.datagrams() { // a library's buffer will do
		c.release()
		if err := c.readable(); err != nil {
			return 0, err
		}
		return c.receive(p)
	}
	if c.r == c.w {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.r:c.w])
	c.r += n
	return n, nil
}

// ReadLine returns the next line without its CRLF or LF; the slice is valid until the next read or handshake. If the connection
// ends, or a limit is reached, in the middle of a line, the part that came is returned beside the error.
func (c *Conn) ReadLine() ([]byte, error) {
	limit := c.s.opts.Limits.LineLength
	seen := 0
	for {
		if i := bytes.IndexByte(c.buf[c.r+seen:c.w], '\n'); i >= 0 {
			line := bytes.TrimSuffix(c.buf[c.r:c.r+seen+i], []byte("\r"))
			c.r += seen + i + 1
			if len(line) > limit {
				return line[:limit], c.lineLimit()
			}
			return line, nil
		}
		seen = c.w - c.r
		if seen > limit+1 { // +1 for a CR whose LF is still to come
			return c.buf[c.r : c.r+limit], c.lineLimit()
		}
		if err := c.fill(); err != nil {
			return c.buf[c.r:c.w], err
		}
	}
}

func (c *Conn) lineLimit() error {
	return &Error{Op: "read", Outcome: OutcomeLimit, Err: &LimitError{Limit: "LineLength", Value: c.s.opts.Limits.LineLength}}
}

// ReadFull fills p. If the connection ends early it returns how much of p was filled, beside the error.
func (c *Conn) ReadFull(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m, err := c.Read(p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Buffered returns what was received and not yet read; valid until the next read or handshake.
func (c *Conn) Buffered() []byte { return c.buf[c.r:c.w] }

// closeNotifyTime is how long a goodbye inside TLS may take: it only blocks if the server stopped reading.
const closeNotifyTime = 10 * time.Millisecond

// Close ends the connection; closing twice is fine. Sessions close what a prober leaves open.
func (c *Conn) Close() error {
	s := c.s
	s.mu.Lock()
	if c.closed {
		s.mu.Unlock()
		return nil
	}
	c.closed = true
	s.conns = slices.DeleteFunc(s.conns, func(open *Conn) bool { return open == c })
	polite := c.secure && c.err == nil && !s.aborted && !c.aborted
	s.mu.Unlock()
	if polite {
		c.closeNotify()
	}
	c.release()
	return c.raw.Conn.Close()
}

func (c *Conn) opAborted() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.aborted
}

// until aborts the connection when ctx ends, for an operation whose context may be narrower than the session's.
func (c *Conn) until(ctx context.Context) (stop func() bool) {
	if c.s.owns(ctx) {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.aborted = true
		_ = c.raw.Conn.SetDeadline(past)
	})
}
