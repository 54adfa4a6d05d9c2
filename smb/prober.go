package smb

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// Prober asks file servers. Its zero value is ready for use; the fields go beyond the levels.
type Prober struct {
	// NetBIOS says whether SMB is carried inside a NetBIOS session. Unknown leaves it to the port: it is at 139.
	NetBIOS probe.Fact
	// Algorithms learns all ciphers and signing algorithms of 3.1.1 that the server takes, with four more connections:
	// Evidence.Ciphers and Evidence.SigningAlgorithms.
	Algorithms bool
}

// Grab probes one server, such as "192.0.2.7:445". The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

const (
	portNetBIOS   = 139
	schemeNetBIOS = "smb+nbt"
)

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol:   protocol,
		Ports:      []probe.Port{{Network: probe.TCP, Number: 445}, {Network: probe.TCP, Number: portNetBIOS, Scheme: schemeNetBIOS}},
		Companions: []probe.Port{nameService},
		Guard:      newGuard,
		Evidence:   func() probe.Evidence { return newEvidence() },
	}
}

// ForScheme implements [probe.SchemeProber].
func (p Prober) ForScheme(scheme string) probe.Prober {
	p.NetBIOS = probe.FactOf(scheme == schemeNetBIOS)
	return p
}

// Probe implements [probe.Prober]: one connection that offers everything, and where that is answered, one for each
// dialect and one for SMB1 side by side.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	netbios := p.NetBIOS == probe.Yes || p.NetBIOS == probe.Unknown && s.Target().Addr.Port() == portNetBIOS
	v := &interview{p: p, carrier: carrier{s: s, e: e, netbios: netbios}}
	return e, v.hold(ctx)
}

// An interview is one probe of one server.
type interview struct {
	carrier
	p   Prober
	err error // the first that isn't evidence
}

func (v *interview) hold(ctx context.Context) error {
	if v.s.Level() < probe.LevelHandshake {
		c, err := v.s.Open(ctx) // a server says nothing before it is asked
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	c, err := v.first(ctx)
	if c == nil || err != nil {
		return err
	}
	if !v.everything(ctx, c) {
		return v.err
	}
	v.matrix(ctx)
	v.details(ctx)
	v.e.conclude()
	if v.s.Level() >= probe.LevelAnonymous && v.e.PreferredDialect != "" && !v.over(ctx) {
		v.fail(v.p.anonymous(ctx, v.s, v.e, v.open))
	}
	return v.err
}

// everything offers all dialects of SMB 2 and 3. Where that isn't answered it offers SMB1, and reports whether either
// was.
func (v *interview) everything(ctx context.Context, c *probe.Conn) bool {
	defer c.Close()
	q := everyDialect
	if v.fail(q.draw(v.s)); v.err != nil {
		return false
	}
	a := q.hold(c)
	v.e.preferred(a)
	if a.answered() || errors.Is(a.err, probe.ErrNotProtocol) {
		v.fail(a.err)
		return a.answered()
	}
	_ = c.Close()
	only := answer{err: a.err}
	if dropped(a.err) || errors.Is(a.err, probe.ErrTimeout) || errors.Is(a.err, probe.ErrMalformed) {
		only = v.alone(ctx, offerSMB1)
	}
	if !only.answered() {
		v.fail(a.err)
		return false
	}
	v.e.smb1(only)
	v.fail(only.err)
	return true
}

var (
	everyDialect = question{dialects: dialects, algorithms: everything, setup: true}
	offerSMB1    = question{smb1: smb1Dialects, extended: true, setup: true}
)

// matrix asks for each dialect alone, and for SMB1.
func (v *interview) matrix(ctx context.Context) {
	if v.over(ctx) {
		return
	}
	var list []question
	if v.e.NegotiateStatus != statusName(statusNotSupported) {
		for _, d := range dialects {
			list = append(list, question{dialects: []uint16{d}, algorithms: everything})
		}
	}
	if v.e.SMB1.Outcome == "" {
		list = append(list, offerSMB1)
	}
	answers := v.each(ctx, list)
	for i, q := range list {
		a := answers[i]
		if len(q.smb1) > 0 { // the last
			v.e.smb1(a)
			v.e.hungUpOnSMB1(a)
		} else {
			v.e.alone(q.dialects[0], a)
		}
		v.note(ctx, a.err)
	}
}

// details asks what only makes sense behind what was learned: SMB1 without extended security and the dialects of LAN
// Manager, and the algorithms of 3.1.1.
func (v *interview) details(ctx context.Context) {
	if v.over(ctx) {
		return
	}
	var list []question
	if v.e.SMB1.Supported == probe.Yes {
		list = append(list, question{smb1: lanmanDialects})
		if v.e.SMB1.Dialect == dialectNTLM012 && v.e.SMB1.Domain == "" {
			list = append(list, question{smb1: smb1Dialects})
		}
	}
	if v.p.Algorithms && v.e.PreferredDialect == dialectNames[dialect311] {
		for i, cipher := range everything.ciphers {
			signing := everything.signing[min(i, len(everything.signing)-1)]
			one := offer{ciphers: []uint16{cipher}, compression: everything.compression, signing: []uint16{signing}}
			list = append(list, question{dialects: []uint16{dialect311}, algorithms: one})
		}
	}
	answers := v.each(ctx, list)
	for i, q := range list {
		a := answers[i]
		if len(q.smb1) > 0 {
			v.e.smb1Detail(a)
		} else {
			v.e.algorithms(q.algorithms, a)
		}
		v.note(ctx, a.err)
	}
}

// fail keeps the first error.
func (v *interview) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}
