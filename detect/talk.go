package detect

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
)

// What a detector reads of a greeting before it decides.
const enough = 4 << 10

// quiet is how long a service that nobody recognises must pause before what it said counts as all.
const quiet = time.Second

// A talk is the conversation of one probe.
type talk struct {
	Detector
	s      *probe.Session
	e      *Unknown
	opened int
}

// maxConns is how many connections it takes at most to find out who is there.
const maxConns = 3

func (t *talk) open(ctx context.Context) (*probe.Conn, error) {
	t.opened++
	return t.s.Open(ctx)
}

// hold listens, asks, and hands over. What is rare has a function of its own: a thousand wait in this one, with their whole stack
// in memory.
func (t *talk) hold(ctx context.Context) (probe.Evidence, error) {
	c, err := t.open(ctx)
	if err != nil {
		return t.giveUp(ctx, probe.Handed{Err: err}, err)
	}
	begin, first := time.Now(), t.patience()
	if e, err, over := t.conclude(ctx, c, t.listen(c, first)); over {
		return e, err
	}
	return t.knockAndListen(ctx, c, begin, first)
}

// knockAndListen goes on behind a silence that lasted for the time first, or as long as a read may if that is 0.
func (t *talk) knockAndListen(ctx context.Context, c *probe.Conn, begin time.Time, first time.Duration) (probe.Evidence, error) {
	k := t.knock(ctx)
	switch whole := t.s.Limits().Idle; {
	case k.over:
		return k.evidence, k.err
	case first == 0 || first >= whole || t.Expected == nil:
		return t.giveUp(ctx, probe.Handed{Conn: c}, k.err)
	case t.wait() < GreetingWait: // as the caller wants it
		return t.giveUp(ctx, probe.Handed{Err: silentFor(t.wait())}, k.err)
	default:
		c.SetPatience(max(whole-time.Since(begin), time.Millisecond))
		h := t.listen(c, 0)
		c.SetPatience(whole)
		if e, err, over := t.conclude(ctx, c, h); over {
			return e, err
		}
		return t.giveUp(ctx, probe.Handed{Err: silentFor(whole)}, k.err)
	}
}

func silentFor(d time.Duration) error {
	return &probe.Error{Op: "read", Outcome: probe.OutcomeTimeout, Err: &probe.LimitError{Limit: "Idle", Value: d}}
}

// patience is how long to listen before anything is asked; 0 for as long as a read may take. Mail servers delay their greeting on
// purpose, and ban who speaks before it.
func (t *talk) patience() time.Duration {
	if t.Expected != nil && (t.s.Level() == probe.LevelGreeting || t.Expected.Spec().Protocol == mail) {
		return 0
	}
	return t.wait()
}

const mail = "smtp"

// conclude goes on by what was heard. It isn't over if that was silence, which may be asked.
func (t *talk) conclude(ctx context.Context, c *probe.Conn, h *heard) (e probe.Evidence, err error, over bool) {
	p, c, err := t.choose(ctx, c, h)
	switch {
	case h.service != "":
		t.e.Service = h.service
		t.e.hear(h.said)
		e, err = t.leave(ctx, t.e.verdict(nil))
	case p != nil:
		e, err = t.s.HandOver(ctx, p, probe.Handed{Conn: c})
	case len(h.said) > 0:
		t.e.hear(h.said)
		e, err = t.giveUp(ctx, probe.Handed{Conn: c}, t.e.verdict(err))
	case !errors.Is(err, probe.OutcomeTimeout) || t.s.Level() == probe.LevelGreeting:
		e, err = t.giveUp(ctx, probe.Handed{Conn: c}, err)
	default:
		return nil, nil, false
	}
	return e, err, true
}

// giveUp lets the expected prober have the last word, if there is one.
func (t *talk) giveUp(ctx context.Context, h probe.Handed, err error) (probe.Evidence, error) {
	if t.Expected != nil {
		return t.s.HandOver(ctx, t.Expected, h)
	}
	return t.e, err
}

// leave ends with a service that has a name and no prober, whoever was expected.
func (t *talk) leave(ctx context.Context, err error) (probe.Evidence, error) {
	return t.s.HandOver(ctx, stranger{t.e, err}, probe.Handed{})
}

// A stranger is what stands for the prober of a service that has none.
type stranger struct {
	e   *Unknown
	err error
}

func (stranger) Spec() probe.Spec { return Detector{}.Spec() }

func (x stranger) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	s.OfferTLS(ctx, x.e.TLS, s.Open)
	return x.e, x.err
}

// What was heard on a connection.
type heard struct {
	said     []byte
	sure     probe.Prober   // whose protocol it is
	possible []probe.Prober // whose protocol it may be; none if there is a sure one
	service  string         // its name if it is none of theirs
	err      error          // why no more was heard
}

// listen reads until it is clear whose protocol it is, or that it is nobody's. It waits for the first byte for a time, 0 for as
// long as a read may take.
func (t *talk) listen(c *probe.Conn, first time.Duration) *heard {
	h, until := new(heard), time.Now().Add(t.wait())
	for left, clear := first, false; !clear; {
		h.said, h.err = c.Peek(left)
		left, clear = t.weigh(h, until)
	}
	return h
}

// weigh tells whose protocol it is by what was said so far, and whether that is enough to tell; if not, for how long to listen on.
func (t *talk) weigh(h *heard, until time.Time) (left time.Duration, clear bool) {
	var undecided []probe.Prober
	h.service = service.Name(h.said)
	h.sure, h.possible, undecided = t.recognise(h.said)
	nobodys := h.service != "" || len(h.said) > 0 && h.sure == nil && len(h.possible)+len(undecided) == 0
	switch {
	case nobodys && (h.err != nil || len(h.said) >= enough):
		h.sure, h.possible = nil, nil
		h.said = bytes.Clone(h.said)
		if errors.Is(h.err, probe.OutcomeTimeout) {
			h.err = nil
		}
		return 0, true
	case !nobodys && h.sure != nil: // who reads on by itself
		return 0, true
	case !nobodys && (h.err != nil || len(h.said) >= enough || len(undecided) == 0):
		h.said = bytes.Clone(h.said)
		return 0, true
	case nobodys:
		return untilThen(quiet, until), false
	case t.expects(undecided):
		return 0, false // as long as a read may take
	}
	return untilThen(t.wait(), until), false
}

// choose returns the prober to go on with, and the connection to go on on, nil if it is to be a new one. It asks if the
// greeting leaves it open; what the answers tell of the service is noted in h.
func (t *talk) choose(ctx context.Context, c *probe.Conn, h *heard) (probe.Prober, *probe.Conn, error) {
	switch {
	case h.sure != nil:
		return h.sure, c, nil
	case len(h.possible) == 0:
		return nil, c, h.err
	case t.expects(h.possible):
		return t.Expected, c, nil
	case t.s.Level() == probe.LevelGreeting:
		return nil, c, h.err
	}
	return t.ask(ctx, c, h)
}

// verdict is the error of a conversation that no prober could take over; cause, which may be nil, is why it ended.
func (e *Unknown) verdict(cause error) error {
	switch o := probe.OutcomeOf(cause); {
	case !o.Answered() && o != probe.OutcomeTimeout && o != probe.OutcomeClosed:
		return cause
	case e.Service != "":
		return probe.Errorf("detect", probe.OutcomeNotProtocol, "it speaks %s", e.Service)
	}
	return probe.Errorf("detect", probe.OutcomeNotProtocol, "nothing that a prober recognises")
}
