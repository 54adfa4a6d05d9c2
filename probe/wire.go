package probe

import (
	"context"
	"errors"
	"net"
	"time"
)

// wire is a connection below TLS. It counts bytes against the session's budget and moves the idle deadline on with
// each read and write, so that crypto/tls and protocol libraries are held to both.
type wire struct {
	net.Conn
	c    *Conn
	idle time.Duration // how long a read or write may wait
	arms time.Time     // when the deadline was set last
	head []byte        // the first bytes of a TLS handshake as they came, for when they turn out to be plaintext
	keep bool
}

// headSize bounds how much of what came instead of a TLS handshake is kept.
const headSize = 1 << 10

// datagramCost is what a datagram counts for beside its data: the headers of IPv4 and UDP. Empty ones are not for free.
const datagramCost = 28

func (w *wire) Read(p []byte) (int, error) {
	s := w.c.s
	left := s.opts.Limits.BytesIn - s.bytesIn.Load()
	if left <= 0 {
		return 0, &LimitError{Limit: "BytesIn", Value: s.opts.Limits.BytesIn}
	}
	if err := w.arm(); err != nil {
		return 0, err
	}
	// A datagram's rest would be lost, so that only streams are cut to the byte.
	if int64(len(p)) > left && !w.c.datagrams() {
		p = p[:left]
	}
	n, err := w.Conn.Read(p)
	s.bytesIn.Add(int64(n))
	if w.c.datagrams() {
		s.bytesIn.Add(datagramCost)
	}
	if w.keep && len(w.head) < headSize {
		w.head = append(w.head, p[:min(n, headSize-len(w.head))]...)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	s := w.c.s
	if s.bytesOut.Add(int64(len(p))) > s.opts.Limits.BytesOut {
		s.bytesOut.Add(-int64(len(p)))
		return 0, &LimitError{Limit: "BytesOut", Value: s.opts.Limits.BytesOut}
	}
	if err := w.arm(); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// arm sets the deadline anew, which is never later than the session's end. In a session that was aborted the one in the past must
// stay. One that was set a moment ago, such as for the command whose reply is awaited now, will do: setting it costs a tenth of a
// read.
func (w *wire) arm() error {
	s := w.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aborted || w.c.aborted {
		return context.Canceled
	}
	now := time.Now()
	if now.Sub(w.arms) < w.idle/64 {
		return nil
	}
	w.arms = now
	due := now.Add(w.idle)
	if s.life.due.Before(due) {
		due = s.life.due
	}
	return w.Conn.SetDeadline(due)
}

// setIdle changes how long the next read or write may wait.
func (w *wire) setIdle(d time.Duration) {
	w.idle, w.arms = d, time.Time{}
}

// The deadlines are the session's; crypto/tls sets one of its own for close_notify.

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// ioError gives a failed read, write or handshake its outcome. The context's end comes first: a read that it
// interrupted looks like a timeout.
func (c *Conn) ioError(op string, err error, fallback Outcome) *Error {
	var limit *LimitError
	var known *Error
	switch {
	case c.s.life.Err() != nil:
		return c.s.contextError(op)
	case c.opAborted():
		return &Error{Op: op, Outcome: OutcomeCanceled, Err: steady(err)}
	case errors.As(err, &known):
		return known
	case errors.As(err, &limit):
		return &Error{Op: op, Outcome: OutcomeLimit, Err: limit}
	}
	o := ioOutcome(err, fallback)
	if o == OutcomeTimeout {
		err = &LimitError{Limit: "Idle", Value: c.raw.idle}
	}
	return &Error{Op: op, Outcome: o, Err: steady(err)}
}
