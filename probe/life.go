package probe

import (
	"context"
	"errors"
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

// A call is the context of a connection that is being opened by the system's dialer, which ends with the session. Package net
// sets a socket's deadline by it, and asks to be told of an earlier end.
type call struct {
	s         *Session
	due       time.Time
	interrupt func()
}

func (s *Session) call(due time.Time) *call {
	if s.life.due.Before(due) {
		due = s.life.due
	}
	return &call{s: s, due: due}
}

// never is closed by nobody.
var never = make(chan struct{})

// Deadline implements [context.Context].
func (c *call) Deadline() (time.Time, bool) { return c.due, true }

// Done implements [context.Context]. Package net takes a context without it for one that never ends, and has AfterFunc otherwise.
func (c *call) Done() <-chan struct{} { return never }

// Err implements [context.Context].
func (c *call) Err() error { return c.s.life.Err() }

// Value implements [context.Context].
func (c *call) Value(key any) any { return c.s.life.caller.Value(key) }

// AfterFunc arranges for f to be called, in a goroutine of its own, if the session ends while the call is under way; see
// [context.AfterFunc].
func (c *call) AfterFunc(f func()) (stop func() bool) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aborted {
		go f()
		return func() bool { return false }
	}
	c.interrupt = f
	s.calls = append(s.calls, c)
	return c.stop
}

func (c *call) stop() bool {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.calls, c)
	if i >= 0 {
		s.calls = slices.Delete(s.calls, i, i+1)
	}
	return i >= 0
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
		go c.interrupt()
	}
	s.calls = nil
	for _, c := range s.conns {
		_ = c.raw.Conn.SetDeadline(past)
	}
}

var past = time.Unix(1, 0)

// until returns ctx, or a context that ends when ctx does and only tells an earlier time. A context with a timer costs a tenth of a
// connection.
func until(ctx context.Context, due time.Time) context.Context {
	if d, ok := ctx.Deadline(); ok && d.Before(due) {
		return ctx
	}
	return dueContext{ctx, due}
}

type dueContext struct {
	context.Context
	due time.Time
}

func (c dueContext) Deadline() (time.Time, bool) { return c.due, true }
