package smb

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// A talk is one probe of one server.
type talk struct {
	p       Prober
	s       *probe.Session
	e       *Evidence
	netbios bool     // SMB is carried inside NetBIOS sessions
	called  nbt.Name // that the server took
	err     error    // the first that isn't evidence
}

func newTalk(p Prober, s *probe.Session) *talk {
	k := &talk{p: p, s: s, e: new(Evidence)}
	k.netbios = p.NetBIOS == probe.Yes || p.NetBIOS == probe.Unknown && s.Target().Addr.Port() == portNetBIOS
	s.Keep(k.e)
	return k
}

// everything offers all dialects of SMB 2 and 3. If that isn't answered it offers SMB1, and reports whether either
// was.
func (k *talk) everything(ctx context.Context, c *probe.Conn) bool {
	defer c.Close()
	q := everyDialect
	if k.fail(q.draw(k.s)); k.err != nil {
		return false
	}
	a := q.hold(c)
	k.e.preferred(a)
	if a.answered() || errors.Is(a.err, probe.ErrNotProtocol) {
		k.fail(a.err)
		return a.answered()
	}
	_ = c.Close()
	only := answer{err: a.err}
	if dropped(a.err) || errors.Is(a.err, probe.ErrTimeout) || errors.Is(a.err, probe.ErrMalformed) {
		only = k.alone(ctx, offerSMB1)
	}
	if !only.answered() {
		k.fail(a.err)
		return false
	}
	k.e.smb1(only)
	k.fail(only.err)
	return true
}

var (
	everyDialect = question{dialects: dialects, algorithms: everything, setup: true}
	offerSMB1    = question{smb1: smb1Dialects, extended: true, setup: true}
)

// matrix asks for each dialect alone, and for SMB1.
func (k *talk) matrix(ctx context.Context) {
	if k.over(ctx) {
		return
	}
	var list []question
	if k.e.NegotiateStatus != statusName(statusNotSupported) {
		for _, d := range dialects {
			list = append(list, question{dialects: []uint16{d}, algorithms: everything})
		}
	}
	if k.e.SMB1.Outcome == "" {
		list = append(list, offerSMB1)
	}
	answers := k.each(ctx, list)
	for i, q := range list {
		a := answers[i]
		if len(q.smb1) > 0 { // the last
			k.e.smb1(a)
			k.e.hungUpOnSMB1(a)
		} else {
			k.e.alone(q.dialects[0], a)
		}
		k.note(ctx, a.err)
	}
}

// details asks what only makes sense behind what was learned: SMB1 without extended security and the dialects of LAN
// Manager, and the algorithms of 3.1.1.
func (k *talk) details(ctx context.Context) {
	if k.over(ctx) {
		return
	}
	var list []question
	if k.e.SMB1.Supported == probe.Yes {
		list = append(list, question{smb1: lanmanDialects})
		if k.e.SMB1.Dialect == dialectNTLM012 && k.e.SMB1.Domain == "" {
			list = append(list, question{smb1: smb1Dialects})
		}
	}
	if k.p.Algorithms && k.e.PreferredDialect == dialectNames[dialect311] {
		for i, cipher := range everything.ciphers {
			signing := everything.signing[min(i, len(everything.signing)-1)]
			one := offer{ciphers: []uint16{cipher}, compression: everything.compression, signing: []uint16{signing}}
			list = append(list, question{dialects: []uint16{dialect311}, algorithms: one})
		}
	}
	answers := k.each(ctx, list)
	for i, q := range list {
		a := answers[i]
		if len(q.smb1) > 0 {
			k.e.smb1Detail(a)
		} else {
			k.e.algorithms(q.algorithms, a)
		}
		k.note(ctx, a.err)
	}
}

// fail keeps the first error.
func (k *talk) fail(err error) {
	if k.err == nil {
		k.err = err
	}
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
func (k *talk) note(ctx context.Context, err error) {
	if ctx.Err() != nil || !lost(err) {
		k.fail(err)
	}
}

// over reports whether no other conversation can come about.
func (k *talk) over(ctx context.Context) bool {
	switch probe.OutcomeOf(k.err) {
	case probe.OutcomeCanceled, probe.OutcomeLimit, probe.OutcomeForbidden, probe.OutcomeInternal:
		return true
	}
	return ctx.Err() != nil
}
