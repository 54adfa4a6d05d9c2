package smb

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// draw gives a question its random bytes.
func (q *question) draw(s *probe.Session) error {
	if len(q.smb1) > 0 {
		return nil // SMB1 takes none
	}
	if _, err := io.ReadFull(s.Rand(), q.random[:]); err != nil {
		return &probe.Error{Op: "rand", Outcome: probe.OutcomeInternal, Err: err}
	}
	return nil
}

// each asks questions side by side, each on a connection of its own. Those that the server dropped, which may have been
// too many at once, it asks again one after the other.
func (v *interview) each(ctx context.Context, list []question) []answer {
	answers := make([]answer, len(list))
	for i := range list {
		if err := list[i].draw(v.s); err != nil {
			answers[i].err = err
			return answers
		}
	}
	v.s.OpenEach(ctx, len(list), func(i int, c *probe.Conn, err error) {
		if err == nil {
			err = v.prepare(c)
		}
		if err != nil {
			answers[i].err = err
			return
		}
		answers[i] = list[i].hold(c)
	})
	some := slices.ContainsFunc(answers, answer.answered)
	for i, a := range answers {
		if len(list) < 2 || a.answered() || !dropped(a.err) {
			continue
		}
		answers[i] = v.alone(ctx, list[i])
		if !some && !answers[i].answered() {
			break // it takes no such questions at all
		}
		some = true
	}
	return answers
}

// alone asks one question.
func (v *interview) alone(ctx context.Context, q question) (a answer) {
	if a.err = q.draw(v.s); a.err != nil {
		return a
	}
	c, err := v.open(ctx)
	if err != nil {
		a.err = err
		return a
	}
	defer c.Close()
	return q.hold(c)
}

// dropped reports whether a server hung up.
func dropped(err error) bool {
	return errors.Is(err, probe.ErrClosed) || errors.Is(err, probe.ErrRefused)
}

// lost reports whether a conversation didn't come about, which leaves what it asks for unknown.
func lost(err error) bool {
	return dropped(err) || errors.Is(err, probe.ErrUnreachable) || errors.Is(err, probe.ErrTimeout)
}

// note keeps the error of one conversation of many, unless that only leaves something unknown.
func (v *interview) note(ctx context.Context, err error) {
	if ctx.Err() != nil || !lost(err) {
		v.fail(err)
	}
}

// over reports whether no other conversation can come about.
func (v *interview) over(ctx context.Context) bool {
	switch probe.OutcomeOf(v.err) {
	case probe.OutcomeCanceled, probe.OutcomeLimit, probe.OutcomeForbidden, probe.OutcomeInternal:
		return true
	}
	return ctx.Err() != nil
}
