package detect

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
)

// Whoever is asked has no reason to wait: firstByte is for network and load alone, and answerWait for what is long.
const (
	firstByte  = 2 * time.Second
	answerWait = 5 * time.Second
)

func (t *talk) firstByte() time.Duration { return min(t.wait(), firstByte) }

// ask puts the questions of those that it may be, one after the other, until one is answered as its protocol alone does. A
// server that hangs up on a question, or leaves it unanswered, hears the next one on a connection of its own.
func (t *talk) ask(ctx context.Context, c *probe.Conn, h *heard) (probe.Prober, *probe.Conn, error) {
	var others []probe.Prober // that can't ask
	for n := 0; ; n++ {
		more := false
		for _, p := range h.possible {
			a, ok := p.(Asker)
			if !ok && n == 0 {
				others = append(others, p)
			}
			if !ok || n >= len(a.Questions()) {
				continue
			}
			more = true
			if c == nil {
				if c = t.again(ctx); c == nil {
					return nil, nil, nil
				}
			}
			greeting := len(c.Buffered())
			message, err := a.Question(t.s, n)
			if err != nil {
				return nil, c, err
			}
			reply, recognition, err := t.question(c, a, n, message, time.Now().Add(answerWait))
			if recognition == probe.Recognised {
				c.Forget(greeting)
				return p, c, nil
			}
			if name := service.Name(reply); name != "" {
				h.service = name
				return nil, c, nil
			}
			switch {
			case err == nil:
				c.Forget(greeting)
			case errors.Is(err, probe.OutcomeClosed), errors.Is(err, probe.OutcomeTimeout):
				_ = c.Close()
				c = nil
			default:
				return nil, c, err
			}
		}
		if !more {
			break
		}
	}
	if len(others) == 1 {
		return others[0], c, nil
	}
	return nil, c, nil
}

// again calls the server once more and waits for its greeting; nil if it doesn't say one, or was called often enough.
func (t *talk) again(ctx context.Context) *probe.Conn {
	if t.opened >= maxConns || t.e.TLS != nil {
		return nil
	}
	c, err := t.open(ctx)
	if err != nil {
		return nil
	}
	if h := t.listen(c, t.wait()); h.sure == nil && len(h.possible) == 0 {
		_ = c.Close()
		return nil
	}
	return c
}

// question asks, and reads until the answer is clear, or its time is over.
func (t *talk) question(c *probe.Conn, a Asker, n int, message []byte, until time.Time) (reply []byte, r probe.Recognition, err error) {
	before := len(c.Buffered())
	r = probe.Undecided
	for err = c.Send(message); err == nil && r == probe.Undecided && len(reply) < enough; {
		var said []byte
		said, err = c.Peek(untilThen(t.firstByte(), until))
		reply = bytes.Clone(said[before:])
		r = a.Answers(n, reply)
	}
	return reply, r, err
}

// untilThen is how long to wait for what takes d, and doesn't take longer than until then. It isn't zero.
func untilThen(d time.Duration, then time.Time) time.Duration {
	return min(d, max(time.Until(then), time.Nanosecond))
}
