package detect

import (
	"bytes"
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
)

// An answer is what a server said to one question.
type answer struct {
	probe.Recognition
	reply   []byte
	service string // that it names
	err     error
}

// What came of asking a server that keeps silent.
type knocked struct {
	over     bool // a prober went on, or the service has a name
	evidence probe.Evidence
	err      error
}

// knock asks a server that keeps silent, side by side: the question of each prober of whose protocol clients speak first, and
// a TLS handshake.
func (t *talk) knock(ctx context.Context) (k knocked) {
	askers := t.first()
	messages := make([][]byte, len(askers))
	for i, a := range askers {
		if messages[i], k.err = a.Question(t.s, 0); k.err != nil {
			return k
		}
	}
	answers := make([]answer, len(askers)+1) // the last one is to the handshake
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	var asked sync.WaitGroup
	asked.Add(len(askers))
	t.opened += len(answers)
	t.s.OpenEach(ctx, len(answers), func(i int, c *probe.Conn, err error) {
		a := &answers[i]
		a.err = err
		until := time.Now().Add(answerWait)
		if i < len(askers) {
			defer asked.Done()
			if err == nil {
				*a = t.knockBy(c, askers[i], messages[i], until)
			}
			if a.Recognition == probe.Recognised {
				cancel() // whoever answers that doesn't speak TLS
			}
			return
		}
		if err == nil {
			brief, stop := context.WithDeadline(asking, until)
			*a = t.handshake(brief, c, until)
			stop()
		}
		asked.Wait()
		t.name(answers)
		if a.err == nil && recognised(answers) < 0 && t.e.Service == service.TLS {
			k = t.inside(ctx, c)
		}
	})
	switch i := recognised(answers); {
	case i >= 0:
		k.over = true
		k.evidence, k.err = t.s.HandOver(ctx, askers[i], probe.Handed{})
	case !k.over && t.e.Service != "":
		k.over = true
		k.evidence, k.err = t.leave(ctx, t.e.verdict(nil))
	case !k.over:
		k.err = t.silence(answers)
	}
	return k
}

// knockBy asks one question, and reads on for the name of whoever answers otherwise.
func (t *talk) knockBy(c *probe.Conn, asker Asker, message []byte, until time.Time) (a answer) {
	a.reply, a.Recognition, a.err = t.question(c, asker, 0, message, until)
	if a.Recognition == probe.Foreign && a.err == nil {
		a.reply, a.err = rest(c, until)
	}
	if a.service = service.Name(a.reply); bytes.HasPrefix(a.reply, message) {
		a.service, a.reply = service.Echo, nil // of random bytes
	}
	return a
}

// rest reads until the server pauses, and returns all that is unread.
func rest(c *probe.Conn, until time.Time) (said []byte, err error) {
	for err == nil && len(said) < enough && time.Now().Before(until) {
		said, err = c.Peek(untilThen(quiet, until))
	}
	return bytes.Clone(said), err
}

// handshake shakes hands, without waiting longer than for an answer. Whoever says something else instead says it all.
func (t *talk) handshake(brief context.Context, c *probe.Conn, until time.Time) (a answer) {
	c.SetPatience(t.firstByte())
	defer c.SetPatience(t.s.Limits().Idle)
	t.e.TLS, a.err = c.StartTLS(brief)
	if c.Plain(t.e.TLS) {
		more, _ := rest(c, until)
		t.e.TLS.LeftoverPlaintext = append(t.e.TLS.LeftoverPlaintext, more[:min(len(more), greetingKept)]...)
	}
	a.reply = t.e.TLS.LeftoverPlaintext
	a.service = service.Name(a.reply)
	return a
}

// recognised returns the first question that was answered as its protocol alone does; -1 for none.
func recognised(answers []answer) int {
	for i, a := range answers {
		if a.Recognition == probe.Recognised {
			return i
		}
	}
	return -1
}

// name takes down what was said to the questions, and the name that it gives the service. The name of another protocol
// goes before TLS: web servers answer in cleartext on ports of TLS too.
func (t *talk) name(answers []answer) {
	for _, a := range answers {
		if t.e.Service == "" || t.e.Service == service.TLS {
			t.e.hear(a.reply)
			t.e.Service = cmp.Or(a.service, t.e.Service)
		}
	}
	if t.e.Service == "" && t.e.TLS != nil && (t.e.TLS.Version != "" || strings.Contains(t.e.TLS.Error, "remote error")) {
		t.e.Service = service.TLS // what failed did so behind a ServerHello, or by an alert (RFC 8446 §6)
	}
}

// inside listens again behind a handshake.
func (t *talk) inside(ctx context.Context, c *probe.Conn) (k knocked) {
	k.over = true
	h := t.listen(c, t.wait())
	p, c, err := t.choose(ctx, c, h)
	if p != nil {
		k.evidence, k.err = t.s.HandOver(ctx, p, probe.Handed{Conn: c, TLS: t.e.TLS})
		return k
	}
	t.e.hear(h.said)
	t.e.Service = cmp.Or(h.service, t.e.Service)
	k.evidence, k.err = t.leave(ctx, t.e.verdict(err))
	return k
}

// silence is the error of a conversation in which no answer named the service.
func (t *talk) silence(answers []answer) error {
	heard, timedOut := false, true
	for _, a := range answers {
		heard = heard || len(a.reply) > 0
		switch o := probe.OutcomeOf(a.err); o {
		case probe.OutcomeCanceled, probe.OutcomeForbidden, probe.OutcomeInternal, probe.OutcomeLimit, probe.OutcomeRefused, probe.OutcomeUnreachable:
			return a.err // a question wasn't put
		default:
			timedOut = timedOut && o == probe.OutcomeTimeout
		}
	}
	if heard {
		return t.e.verdict(nil)
	}
	t.e.Service = service.Silent
	if timedOut {
		return probe.Errorf("detect", probe.OutcomeTimeout, "it keeps silent")
	}
	return probe.Errorf("detect", probe.OutcomeNotProtocol, "it keeps silent, and speaks no TLS")
}
