package ssh

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// Prober asks SSH servers. Its zero value is ready for use.
type Prober struct{}

// Grab probes one server, such as "192.0.2.7:22". The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol,
		Ports:    []probe.Port{{Network: probe.TCP, Number: 22}}, // RFC 4253 §4.1
		Guard:    newGuard,
		Evidence: func() probe.Evidence { return newEvidence() },
	}
}

// Probe implements [probe.Prober]: one conversation that learns all but the other host keys, and then a short one for
// each of these.
func (Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	k := &talk{s: s, e: e, reasons: map[string]Reason{}, others: ReasonNotAsked}
	defer k.missing()
	id, c, err := k.greet(ctx)
	if err != nil || s.Level() < probe.LevelHandshake || !speaks2(e.ProtocolVersion) {
		return e, err
	}
	all, err := k.exchange(ctx, c, id, "", s.Level() >= probe.LevelAnonymous)
	k.learn(all)
	if err == nil {
		return e, k.otherHostKeys(ctx)
	}
	if k.others = reasonOf(err); k.others == ReasonNoCommon {
		return e, nil // that is what was to be learned
	}
	return e, err
}

// A talk is all that is said to one server.
type talk struct {
	s       *probe.Session
	e       *Evidence
	opened  int
	reasons map[string]Reason // why host keys weren't learned, by type
	others  Reason            // for types without one
}

// greet opens the first connection and reads what the server says by itself. The connection is closed where the
// conversation ends here.
func (k *talk) greet(ctx context.Context) (string, *probe.Conn, error) {
	c, err := k.open(ctx)
	if err != nil {
		return "", nil, err
	}
	e := k.e
	lines, line, err := readIdentification(c, k.s.Limits().ReplyLines)
	for _, l := range lines {
		e.GreetingLines = append(e.GreetingLines, text(string(l)))
	}
	if line != "" {
		id, _ := parseIdentification(line)
		e.Identification, e.ProtocolVersion = text(line), text(id.version)
		e.Software, e.Comment = text(id.software), text(id.comment)
		e.TransferHint = transferHint(e.Software)
	}
	return line, c, err
}

func (k *talk) open(ctx context.Context) (*probe.Conn, error) {
	k.opened++
	return k.s.Open(ctx)
}

// exchange asks for a host key of the type, of any where it is empty, and with login for the methods to log in.
func (k *talk) exchange(ctx context.Context, c *probe.Conn, id, keyType string, login bool) (said, error) {
	x := &exchange{s: k.s, login: login}
	all, err := x.converse(ctx, c, id, algorithmsFor(keyType))
	if all.key == nil {
		return all, err
	}
	h := describeKey(all.key)
	if keyType != "" && h.Type != keyType {
		return all, err // nobody asked
	}
	if all.proven {
		h.Proven = probe.Yes
	} else if !verifiable(h) && errors.Is(err, probe.ErrMalformed) {
		err = nil // it is the library that can't go on
	}
	k.e.HostKeys = append(k.e.HostKeys, h)
	return all, err
}

// learn fills in what the first conversation told.
func (k *talk) learn(all said) {
	e := k.e
	if all.kexInit != nil {
		e.Algorithms, e.StrictKex, e.HASSHServer = all.kexInit.algorithms(), all.kexInit.strict(), all.kexInit.hassh()
	}
	e.Banner = text(all.banner)
	if all.asked {
		e.NoneAccepted = probe.FactOf(all.let)
		e.AuthMethods = clean(all.methods)
	}
}

// maxConns is how many connections are made for host keys: OpenSSH 9.8 and later shuts out for seconds whom it saw come
// and go without a login about fifteen times (sshd_config: PerSourcePenalties).
const maxConns = 8

// otherHostKeys asks for the keys of the types that the first conversation didn't show, one after the other, until the
// server has had enough.
func (k *talk) otherHostKeys(ctx context.Context) error {
	for _, t := range keyTypes(k.e.Algorithms.HostKey) {
		switch {
		case k.has(t) || len(algorithmsFor(t)) == 0:
			continue
		case k.opened >= min(maxConns, k.s.Limits().Conns):
			k.reasons[t] = ReasonLimit
			continue
		}
		err := k.another(ctx, t)
		if err == nil {
			continue
		}
		k.reasons[t] = reasonOf(err)
		switch k.reasons[t] {
		case ReasonDropped:
			return nil // nor would it answer for the next
		case ReasonNotAsked:
			return err
		}
	}
	return nil
}

// reasonOf tells why an exchange gave no host key: not_asked where that wasn't the server's doing, or it kept silent.
func reasonOf(err error) Reason {
	var limit *probe.LimitError
	switch {
	case errors.As(err, &limit) && limit.Limit == "Conns": // some were used before the prober got the session
		return ReasonLimit
	case errors.As(err, new(*ssh.AlgorithmNegotiationError)):
		return ReasonNoCommon
	case errors.Is(err, probe.ErrClosed), errors.Is(err, probe.ErrRefused):
		return ReasonDropped
	case errors.Is(err, probe.ErrMalformed), errors.Is(err, probe.ErrNotProtocol):
		return ReasonFailed
	}
	return ReasonNotAsked
}

// another opens a connection for one more host key.
func (k *talk) another(ctx context.Context, keyType string) error {
	c, err := k.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	_, id, err := readIdentification(c, k.s.Limits().ReplyLines)
	if err != nil {
		return err
	}
	_, err = k.exchange(ctx, c, id, keyType, false)
	return err
}

func (k *talk) has(keyType string) bool {
	return slices.ContainsFunc(k.e.HostKeys, func(h HostKey) bool { return h.Type == keyType })
}

// missing lists the types of host keys that weren't learned.
func (k *talk) missing() {
	if k.e.Algorithms == nil {
		return
	}
	for _, t := range keyTypes(k.e.Algorithms.HostKey) {
		r := k.others
		if own, ok := k.reasons[t]; ok {
			r = own
		} else if len(algorithmsFor(t)) == 0 {
			r = ReasonUnsupported
		}
		if !k.has(t) {
			k.e.HostKeysMissing = append(k.e.HostKeysMissing, MissingHostKey{Type: t, Reason: r})
		}
	}
}
