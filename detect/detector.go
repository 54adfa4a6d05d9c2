// Package detect finds out what is spoken on a port where anything may be, and lets the prober of that protocol go on. It is
// part of a scan, and for a program a prober like others:
//
//	result := probe.Run(ctx, detect.Detector{Probers: handclasp.Probers()}, target, nil)
package detect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// GreetingWait is how long a [Detector] waits for a greeting where it doesn't say: a second more than mail servers are
// known to keep a client waiting to see whether it speaks out of turn (Postfix's postscreen_greet_wait is 6 s).
const GreetingWait = 7 * time.Second

// What a detector reads of a greeting before it decides.
const enough = 4 << 10

// answerWait is how long it waits for the answer to a question, or for a handshake: whoever is asked has no reason to
// wait, so that it is network and load alone.
const answerWait = 5 * time.Second

// A Detector is a prober for a port where anything may be. It listens for a greeting and hands the connection over, bytes
// included, to the prober that recognises it. Where the server is silent it asks those of whose protocol clients speak
// first, on a connection of its own for each, and then listens again inside of TLS on another one: with the built-in
// probers that is three connections at most. What none recognises is named where that is obvious, and left: the evidence
// is an [Unknown]. The zero value, given to [probe.Decode] beside probers, restores that.
type Detector struct {
	// Probers are those to choose from. One takes part if it is a [probe.Recogniser].
	Probers []probe.Prober
	// Expected gets the connection where no prober is surer, such as the one whose default port it is. Without a word from
	// the server it waits as long as Expected would. May be nil.
	Expected probe.Prober
	// Wait is how long to listen for a greeting; zero is [GreetingWait].
	Wait time.Duration
}

// Spec implements [probe.Prober]. It is that of the expected prober, which has the last word on what nobody recognises;
// without one the protocol is "unknown", and there are no ports. The guard lets one question pass on a connection, which
// the guard of the prober that asks it must name.
func (d Detector) Spec() probe.Spec {
	if d.Expected != nil {
		spec := d.Expected.Spec()
		spec.Guard = d.newGuard
		return spec
	}
	return probe.Spec{Protocol: unknown, Guard: d.newGuard, Evidence: func() probe.Evidence { return newUnknown() }}
}

func (d Detector) newGuard(contact probe.Contact) probe.Guard {
	asked := false
	return func(l probe.Level, plain []byte) (string, error) {
		if asked {
			return "", errors.New("one question only is asked to find out what is spoken")
		}
		for _, p := range d.Probers {
			if _, ok := p.(probe.Asker); !ok {
				continue
			}
			if label, err := p.Spec().NewGuard(contact)(l, plain); err == nil {
				asked = true
				return label, nil
			}
		}
		return "", errors.New("no prober asks this to find out what is spoken")
	}
}

// Probe implements [probe.Prober].
func (d Detector) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newUnknown()
	if d.Expected == nil {
		s.Keep(e)
	}
	c, err := s.Open(ctx)
	if err != nil {
		if d.Expected != nil {
			return s.HandOver(ctx, d.Expected, probe.Handed{Err: err})
		}
		return e, err
	}
	said, possible, err := d.listen(c)
	p := d.choose(possible)
	if p == nil && len(possible) > 1 && s.Level() > probe.LevelGreeting {
		p, err = d.ask(s, c, possible)
	}
	if p == nil {
		p = d.Expected
	}
	switch {
	case p != nil:
		return s.HandOver(ctx, p, probe.Handed{Conn: c})
	case len(said) > 0:
		e.hear(said)
		return e, e.verdict(err)
	case !errors.Is(err, probe.ErrTimeout) || s.Level() == probe.LevelGreeting:
		return e, err
	}
	_ = c.Close()
	if p, err := d.knock(ctx, s, e); p != nil || err != nil {
		if err != nil {
			return e, err
		}
		return s.HandOver(ctx, p, probe.Handed{})
	}
	if e.Service != "" && e.Service != serviceTLS {
		return e, e.verdict(nil)
	}
	return d.insideTLS(ctx, s, e)
}

// listen reads until some prober recognises what the server says, or none can any more. It returns those that may.
func (d Detector) listen(c *probe.Conn) (said []byte, possible []probe.Prober, err error) {
	until := time.Now().Add(d.wait())
	for {
		var sure, undecided []probe.Prober
		sure, possible, undecided = d.recognise(said)
		switch {
		case serviceName(said) != "":
			return said, nil, err
		case len(sure) > 0:
			return said, sure[:1], nil
		case len(said) > 0 && len(undecided) == 0, len(said) >= enough, err != nil:
			return said, possible, err
		}
		left := time.Duration(0) // as long as a read may take
		if d.Expected == nil || len(said) > 0 && !holds(undecided, d.Expected) {
			if left = time.Until(until); left <= 0 {
				left = time.Nanosecond // what is there already
			}
		}
		said, err = c.Peek(left)
	}
}

func (d Detector) wait() time.Duration {
	if d.Wait > 0 {
		return d.Wait
	}
	return GreetingWait
}

// patience is how long to wait for an answer.
func (d Detector) patience() time.Duration { return min(d.wait(), answerWait) }

func holds(probers []probe.Prober, p probe.Prober) bool {
	protocol := p.Spec().Protocol
	return slices.ContainsFunc(probers, func(other probe.Prober) bool { return other.Spec().Protocol == protocol })
}

// recognise asks each prober whether what was said is its protocol.
func (d Detector) recognise(said []byte) (sure, possible, undecided []probe.Prober) {
	for _, p := range d.Probers {
		r, ok := p.(probe.Recogniser)
		if !ok {
			continue
		}
		switch r.Recognise(said) {
		case probe.Recognised:
			sure = append(sure, p)
		case probe.Possible:
			if len(said) > 0 {
				possible = append(possible, p)
			}
		case probe.Undecided:
			undecided = append(undecided, p)
		}
	}
	return sure, possible, undecided
}

// choose returns the prober to go on with, nil where that isn't clear.
func (d Detector) choose(possible []probe.Prober) probe.Prober {
	if len(possible) == 1 {
		return possible[0]
	}
	if d.Expected != nil && (len(possible) == 0 || holds(possible, d.Expected)) {
		return d.Expected
	}
	return nil
}

// ask puts the question of the first prober that has one. Where it isn't answered as that prober would have it, the first
// of the others goes on.
func (d Detector) ask(s *probe.Session, c *probe.Conn, possible []probe.Prober) (probe.Prober, error) {
	greeting := len(c.Buffered())
	for i, p := range possible {
		a, ok := p.(probe.Asker)
		if !ok {
			continue
		}
		recognition, err := d.question(s, c, a)
		c.Forget(greeting)
		switch {
		case recognition == probe.Recognised:
			return p, nil
		case err != nil && !errors.Is(err, probe.ErrTimeout):
			return nil, err
		case i == 0:
			return possible[1], nil
		}
		break
	}
	return possible[0], nil
}

// question asks and reads until the answer is clear.
func (d Detector) question(s *probe.Session, c *probe.Conn, a probe.Asker) (probe.Recognition, error) {
	message, err := a.Question(s)
	if err == nil {
		err = c.Send(message)
	}
	before := len(c.Buffered())
	for err == nil {
		var said []byte
		if said, err = c.Peek(d.patience()); len(said) == before {
			continue
		}
		recognition := a.Answers(said[before:])
		if recognition != probe.Undecided || len(said)-before >= enough {
			return recognition, nil
		}
	}
	return probe.Undecided, err
}

// knock asks those of whose protocol clients speak first.
func (d Detector) knock(ctx context.Context, s *probe.Session, e *Unknown) (probe.Prober, error) {
	for _, p := range d.Probers {
		a, ok := p.(probe.Asker)
		if !ok || a.Recognise(nil) != probe.Possible {
			continue
		}
		c, err := s.Open(ctx)
		if err != nil {
			return nil, err
		}
		recognition, err := d.question(s, c, a)
		e.hear(c.Buffered())
		_ = c.Close()
		if recognition == probe.Recognised {
			return p, nil
		}
		switch probe.OutcomeOf(err) { // silence is a limit, too, but not by its outcome
		case probe.OutcomeForbidden, probe.OutcomeLimit, probe.OutcomeCanceled:
			return nil, err
		}
	}
	return nil, nil
}

// insideTLS listens again behind a handshake.
func (d Detector) insideTLS(ctx context.Context, s *probe.Session, e *Unknown) (probe.Evidence, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return e, err
	}
	if e.TLS, err = d.handshake(ctx, c); err != nil {
		e.hear(e.TLS.LeftoverPlaintext)
		return e, e.verdict(err)
	}
	e.Service = serviceTLS
	d.Expected = nil
	said, possible, err := d.listen(c)
	p := d.choose(possible)
	if p == nil && len(possible) > 1 {
		p, err = d.ask(s, c, possible)
	}
	if p != nil {
		return s.HandOver(ctx, p, probe.Handed{Conn: c, TLS: e.TLS})
	}
	e.hear(said)
	return e, e.verdict(err)
}

// handshake is StartTLS that waits no longer than for an answer.
func (d Detector) handshake(ctx context.Context, c *probe.Conn) (*probe.TLS, error) {
	brief, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	t, err := c.StartTLS(brief)
	if errors.Is(err, probe.ErrCanceled) && ctx.Err() == nil {
		err = probe.Errorf("detect", probe.OutcomeTimeout, "it keeps silent")
	}
	return t, err
}

// verdict is the error of a conversation that no prober could take over; cause may be nil.
func (e *Unknown) verdict(cause error) error {
	switch {
	case e.Service != "":
		return probe.Errorf("detect", probe.OutcomeNotProtocol, "it speaks %s", e.Service)
	case e.Greeting != "":
		return probe.Errorf("detect", probe.OutcomeNotProtocol, "nothing that a prober recognises")
	case cause != nil && !errors.Is(cause, probe.ErrTLS):
		return cause
	}
	return probe.Errorf("detect", probe.OutcomeNotProtocol, "it keeps silent, and speaks no TLS")
}
