package probe

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/handclasp/handclasp/internal/calling"
	"github.com/handclasp/handclasp/internal/connid"
)

// OpenEach opens n connections to the target and calls f for each, side by side in goroutines, with i from 0 on; if a connection can't be opened, c is nil and err says why. It closes each connection when its f returned,
// and returns when all have. Its callers bound n: a server may take many at once for an attack. If a scan bounds the
// connections to a host, those that have no place there wait for those before them: the call for i may wait for what an earlier
// one does, never for a later one.
//
// Connections are numbered by i, so that conversations replay whatever order chance gives them. Random bytes are
// recorded in the order in which they are drawn: draw them before.
func (s *Session) OpenEach(ctx context.Context, n int, f func(i int, c *Conn, err error)) {
	first := s.reserve(n)
	s.sideBySide(n, func(i int) {
		c, err := s.openReserved(ctx, first+i)
		if err != nil {
			f(i, nil, err)
			return
		}
		defer c.Close()
		f(i, c, nil)
	})
}

// sideBySide calls f n times, as many side by side as have a place at the host and one at least, and in order as they begin.
func (s *Session) sideBySide(n int, f func(i int)) {
	atOnce := n
	if w := calling.From(s.life.caller); w != nil && n > 1 {
		extra := w.Take(n - 1)
		defer w.Give(extra)
		atOnce = 1 + extra
	}
	var next atomic.Int64
	together(min(atOnce, n), func(int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	})
}

// together calls f n times side by side, once in the caller's own goroutine, and returns when all calls have. The last panic of
// theirs comes out of it.
func together(n int, f func(i int)) {
	var running sync.WaitGroup
	var mu sync.Mutex
	var panicked *PanicError
	call := func(i int) {
		defer func() {
			if v := recover(); v != nil {
				mu.Lock()
				defer mu.Unlock()
				panicked = asPanic(v)
			}
		}()
		f(i)
	}
	defer func() { // even if f ends this goroutine
		running.Wait()
		if panicked != nil {
			panic(panicked) // where the session's own recover is
		}
	}()
	for i := 1; i < n; i++ {
		running.Go(func() { call(i) })
	}
	if n > 0 {
		call(0)
	}
}

// Beside calls f, which alone uses c from now on, in a goroutine of its own, so that another connection can be talked
// on meanwhile: FTP's data comes beside the replies of its control connection. The function that it returns waits for f and
// returns its error; with hangUp it first ends what f waits for, without a word of it in the transcript. It must be called
// before c is used again or closed, and may be called again. A panic in f comes out of it.
func (c *Conn) Beside(f func() error) (end func(hangUp bool) error) {
	done := make(chan struct{})
	c.oneAtATime(false) // another may hang it up
	var how ending
	go func() {
		defer close(done)
		how.of(f)
	}()
	return func(hangUp bool) error {
		if hangUp {
			select {
			case <-done:
			default:
				c.hangUp()
			}
		}
		<-done
		c.oneAtATime(true)
		if p := how.panicked; p != nil {
			how.panicked = nil
			panic(p) // where the session's own recover is
		}
		return how.err
	}
}

// hangUp ends a read, write or handshake that another goroutine has under way, without a word of it in the transcript.
func (c *Conn) hangUp() {
	c.hungUp.Store(true)
	_ = c.raw.Conn.Close()
}

// asPanic keeps the stack of where a panic began.
func asPanic(v any) *PanicError {
	if p, ok := v.(*PanicError); ok {
		return p
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// aside calls f on a stack of its own and waits for it. Computing signatures takes 16 KiB, which would stay with a goroutine that
// goes on to wait for replies.
func aside(f func() error) error {
	var how ending
	done := make(chan struct{})
	go func() {
		defer close(done)
		makeRoom()
		how.of(f)
	}()
	<-done
	if how.panicked != nil {
		panic(how.panicked) // where the session's own recover is
	}
	return how.err
}

// makeRoom lets a new stack grow at once to what a handshake takes in any case. A stack that is full is moved to a larger one, which takes
// the longer the more calls are on it, and the first to fill it is in the midst of a ClientHello: 2 % of a handshake.
//
//go:noinline
func makeRoom() {
	var room [5 << 10]byte
	occupy(room[:])
}

//go:noinline
func occupy(room []byte) { room[0] = 1 }

// An ending is how a function ended that has a goroutine of its own.
type ending struct {
	err      error
	panicked *PanicError
}

func (e *ending) of(f func() error) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			e.panicked = asPanic(v)
		} else if !returned { // by runtime.Goexit
			e.err = Errorf("probe", OutcomeInternal, "a goroutine ended itself")
		}
	}()
	e.err = f()
	returned = true
}

// reserve returns the first of n connection numbers that follow each other.
func (s *Session) reserve(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.opened + 1
	s.opened = min(s.opened+n, max(s.opened, s.maxConns))
	return first
}

func (s *Session) openReserved(ctx context.Context, id int) (*Conn, error) {
	if id > s.maxConns {
		return nil, s.connLimit()
	}
	if s.opts.Dial != nil {
		ctx = connid.With(ctx, id)
	}
	return s.openAs(ctx, id, endpoint{s.target.Network, s.target.Addr.Port()}, false)
}

func (s *Session) connLimit() *Error {
	return &Error{Op: "dial", Outcome: OutcomeLimit, Err: &LimitError{Limit: "Conns", Value: s.maxConns}}
}
