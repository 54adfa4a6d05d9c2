package ssh

import (
	"context"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A Prober asks SSH servers. Its zero value is ready for use.
type Prober struct {
	GroupExchange bool // learn [Evidence.GroupExchange] for 1024, 2048, 3072 and 4096 bits, with four more connections
}

// Grab probes one server. The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// The most connections of a probe. OpenSSH 9.8 and later shuts out for seconds whom it saw come and go without a login more
// than fifteen times in as many seconds (sshd_config: PerSourcePenalties). With three, each of six scans in a row gets in.
const (
	maxConns          = 3
	maxConnsAnonymous = 8
)

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	more, longer := 0, time.Duration(0)
	if p.GroupExchange {
		more, longer = len(groupSizesAsked), 20*time.Second
	}
	return probe.Spec{
		Protocol: protocol,
		Ports:    []probe.Port{{Network: probe.TCP, Number: 22}}, // RFC 4253 §4.1
		Guard:    p.newGuard,
		Bounds: probe.Bounds{
			Greeting:  probe.Bound{Conns: 1, Time: 30 * time.Second},
			Handshake: probe.Bound{Conns: maxConns + more, Time: 45*time.Second + longer},
			Anonymous: probe.Bound{Conns: maxConnsAnonymous + more, Time: time.Minute + longer},
		},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// Probe implements [probe.Prober].
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(s)
	if err := t.greet(ctx); err != nil || s.Level() < probe.LevelHandshake || !speaks2(t.e.ProtocolVersion) {
		return t.e, err
	}
	err := t.exchange(ctx)
	if err == nil {
		t.otherHostKeys(ctx)
	}
	t.missing()
	if p.GroupExchange && (err == nil || probe.OutcomeOf(err).Answered()) {
		t.groups(ctx)
	}
	return t.e, err
}
