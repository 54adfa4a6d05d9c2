package probe

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/handclasp/handclasp/internal/tlshello"
)

// offersAtOnce is how many questions are put side by side: enough to be done soon, and fewer than what servers that count the
// connections of an address turn away.
const offersAtOnce = 4

// helloPatience is how long an answer to a ClientHello may take. Who has shaken hands before answers within moments, or never:
// some wait for the rest of what they don't understand.
const helloPatience = 5 * time.Second

// OfferTLS finds out what else the server accepts by TLS, as much as Options.TLS asks for, and notes it in t.Offers and
// t.Versions. t is the handshake of the conversation, a failed one included; nil does nothing. Each question takes a connection
// of its own, which reach opens, with the context that it is given, and leads to where TLS begins; it returns nil if the server
// doesn't go that far. It is called by several goroutines at once.
//
// What is left unanswered for a reason of the moment is noted as lost, as by [Session.Lost].
func (s *Session) OfferTLS(ctx context.Context, t *TLS, reach func(context.Context) (*Conn, error)) {
	extra, asked := budgets[s.opts.TLS]
	if t == nil || !asked || s.opts.Level < LevelHandshake || t.Version == "" && len(t.LeftoverPlaintext) > 0 {
		return
	}
	s.mu.Lock()
	s.maxConns = s.opened + extra.conns
	s.opts.Limits.BytesIn += extra.bytesIn
	s.opts.Limits.BytesOut += extra.bytesOut
	s.mu.Unlock()

	a := asking{ctx: ctx, s: s, t: t, reach: reach}
	offers, err := tlshello.Enumerate(tlshello.Config{Mode: tlshello.Mode(s.opts.TLS), ServerName: s.target.Name, Rand: s.Rand()}, a.ask)
	t.Offers = s.offersOf(offers)
	t.Versions = t.Offers.accepted()
	if err == nil {
		err = a.doubt
	}
	for _, pointer := range offers.Unanswered() {
		s.Lost("/evidence/tls/offers"+pointer, err)
	}
}

// accepted lists the versions from TLS 1.0 on; nil unless all are known.
func (o *TLSOffers) accepted() []string {
	list := []string{}
	for i, f := range []Fact{o.TLS10, o.TLS11, o.TLS12, o.TLS13} {
		switch f {
		case Unknown:
			return nil
		case Yes:
			list = append(list, "1."+string(rune('0'+i)))
		}
	}
	return list
}

// An asking puts the questions of an enumeration.
type asking struct {
	ctx   context.Context
	s     *Session
	t     *TLS
	reach func(context.Context) (*Conn, error)

	mu    sync.Mutex
	doubt error // the last connection that ended in place of an answer, which may mean no
}

// ask puts questions, a few at a time. Connections are numbered by the questions' order, so that they replay.
func (a *asking) ask(questions []*tlshello.Question) ([]*tlshello.Answer, error) {
	answers := make([]*tlshello.Answer, len(questions))
	errs := make([]error, len(questions))
	for begin := 0; begin < len(questions); begin += offersAtOnce {
		end := min(begin+offersAtOnce, len(questions))
		a.s.beside(a.ctx, end-begin, func(ctx context.Context, i int) {
			answers[begin+i], errs[begin+i] = a.one(ctx, questions[begin+i])
		})
		if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
			return answers, errs[i]
		}
	}
	return answers, nil
}

// one puts a question on a connection of its own.
func (a *asking) one(ctx context.Context, q *tlshello.Question) (*tlshello.Answer, error) {
	c, err := a.reach(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, Errorf("tls", OutcomeBusy, "the server doesn't go as far as TLS again")
	}
	defer c.Close()
	c.SetPatience(helloPatience)
	var answer *tlshello.Answer
	if err = c.sendHello(q.Send, a.t.Mode); err == nil {
		answer, err = q.Read(c)
	}
	switch {
	case errors.Is(err, tlshello.ErrMalformed):
		return nil, nil
	case errors.Is(err, OutcomeClosed), errors.Is(err, OutcomeTLS):
		a.mu.Lock()
		defer a.mu.Unlock()
		a.doubt = err
		return &tlshello.Answer{HungUp: true}, nil
	}
	return answer, err
}

// beside calls f n times side by side; Open with its context opens the connection numbered by i.
func (s *Session) beside(ctx context.Context, n int, f func(ctx context.Context, i int)) {
	first := s.reserve(n)
	s.sideBySide(n, func(i int) { f(context.WithValue(ctx, reservedKey{}, first+i), i) })
}

// reservedKey is of a context that carries the number of the connection to open.
type reservedKey struct{}

// sendHello sends a ClientHello in place of a handshake. It is let pass only when TLS is due: on a connection of implicit TLS on
// which nothing was said, or behind the answer to what led to the conversation's own handshake. Nothing can be sent behind it.
func (c *Conn) sendHello(hello []byte, mode string) error {
	return c.send(hello, func(hello []byte) (string, error) {
		c.s.mu.Lock()
		before := c.s.beforeTLS
		c.s.mu.Unlock()
		switch {
		case c.s.opts.TLS == "", c.s.opts.Level < LevelHandshake, c.receiveOnly, c.secure, c.datagrams():
			return "", errors.New("a ClientHello wasn't asked for")
		case mode == modeImplicit && c.talked.Load(), mode != modeImplicit && (c.label == "" || c.label != before || !c.answered),
			len(c.Buffered()) > 0:
			return "", errors.New("TLS isn't due")
		}
		label, err := tlshello.Check(hello)
		c.over = err == nil
		return label, err
	})
}
