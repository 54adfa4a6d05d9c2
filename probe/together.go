package probe

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/handclasp/handclasp/internal/connid"
)

// OpenEach opens n connections to the target side by side and calls f for each, in goroutines of their own, with i from
// 0 on; where a connection can't be opened, c is nil and err says why. It closes each connection when its f returned,
// and returns when all have. Its callers bound n: a server may take many at once for an attack.
//
// Connections are numbered by i, so that conversations replay whatever order chance gives them. Random bytes are
// recorded in the order in which they are drawn: draw them before.
func (s *Session) OpenEach(ctx context.Context, n int, f func(i int, c *Conn, err error)) {
	first := s.reserve(n)
	var running sync.WaitGroup
	var mu sync.Mutex
	var panicked *PanicError
	for i := range n {
		running.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					mu.Lock()
					defer mu.Unlock()
					panicked = asPanic(v)
				}
			}()
			c, err := s.openReserved(ctx, first+i)
			if err != nil {
				f(i, nil, err)
				return
			}
			defer c.Close()
			f(i, c, nil)
		})
	}
	running.Wait()
	if panicked != nil {
		panic(panicked) // where the session's own recover is
	}
}

// asPanic keeps the stack of where a panic began.
func asPanic(v any) *PanicError {
	if p, ok := v.(*PanicError); ok {
		return p
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// reserve returns the first of n connection numbers that follow each other.
func (s *Session) reserve(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.opened + 1
	s.opened = min(s.opened+n, max(s.opened, s.opts.Limits.Conns))
	return first
}

func (s *Session) openReserved(ctx context.Context, id int) (*Conn, error) {
	if id > s.opts.Limits.Conns {
		return nil, s.connLimit()
	}
	return s.openAs(connid.With(ctx, id), id, endpoint{s.target.Network, s.target.Addr.Port()}, false)
}

func (s *Session) connLimit() *Error {
	return &Error{Op: "dial", Outcome: OutcomeLimit, Err: &LimitError{Limit: "Conns", Value: s.opts.Limits.Conns}}
}
