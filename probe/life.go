package probe

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A life is the context of a session: it ends with the caller's, when Limits.Total is over, and when the probe has returned.
// Contexts with a timer that are told of another's end were a third of what a greeting allocates beside a bare client. Few ask
// for one: what waits for the server ends by a socket's deadline, which is never later than the life's.
type life struct {
	caller context.Context // whose end the session is told of
	due    time.Time       // when Limits.Total is over
	over   atomic.Bool

	mu     sync.Mutex
	timed  context.Context // ends when the life does; nil until somebody waits for that
	cancel context.CancelFunc
}

// errTotal is the cause of a context that ended because Limits.Total was reached.
var errTotal = errors.New("total time")

// end is for when the probe has returned.
func (l *life) end() {
	l.over.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed != nil {
		l.cancel()
	}
}

// Deadline implements [context.Context].
func (l *life) Deadline() (time.Time, bool) {
	if due, ok := l.caller.Deadline(); ok && due.Before(l.due) {
		return due, true
	}
	return l.due, true
}

// Done implements [context.Context].
func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadlineCause(l.caller, l.due, errTotal)
		if l.over.Load() {
			l.cancel()
		}
	}
	return l.timed.Done()
}

// Err implements [context.Context].
func (l *life) Err() error {
	if err := l.caller.Err(); err != nil {
		return err
	}
	switch {
	case l.over.Load():
		return context.Canceled
	case !time.Now().Before(l.due):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements [context.Context].
func (l *life) Value(key any) any {
	l.mu.Lock()
	timed := l.timed
	l.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return l.caller.Value(key)
}

// cause says why it ended.
func (l *life) cause() error {
	switch {
	case l.caller.Err() != nil:
		return context.Cause(l.caller)
	case l.over.Load():
		return context.Canceled
	}
	return errTotal
}

// calling notes a connection that is being opened, which ends with the session. It reports false if that has ended.
func (s *Session) calling(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.aborted {
		s.calls = append(s.calls, c)
	}
	return !s.aborted
}

// called notes that it is open, or will never be.
func (s *Session) called(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = slices.DeleteFunc(s.calls, func(other net.Conn) bool { return other == c })
}

// owns reports whether a context is the session's own, rather than one that a prober made.
func (s *Session) owns(ctx context.Context) bool {
	l, ok := ctx.(*life)
	return ok && l == &s.life
}

// abort unblocks every connection, and what is about to be one.
func (s *Session) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = true
	for _, c := range s.calls {
		_ = c.SetDeadline(past)
	}
	for _, c := range s.conns {
		_ = c.raw.Conn.SetDeadline(past)
	}
}

var past = time.Unix(1, 0)
