package ssh

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// A talk is all that is said to one server.
type talk struct {
	s       *probe.Session
	e       *Evidence
	c       *probe.Conn // the first connection
	id      string      // the server's identification, as it came
	opened  int
	reasons map[string]Reason // why host keys weren't learned, by type
	others  Reason            // for types without one
}

func newTalk(s *probe.Session, e *Evidence) *talk {
	return &talk{s: s, e: e, reasons: map[string]Reason{}, others: ReasonNotAsked}
}

func (k *talk) open(ctx context.Context) (*probe.Conn, error) {
	k.opened++
	return k.s.Open(ctx)
}

// greet opens the first connection and reads what the server says by itself.
func (k *talk) greet(ctx context.Context) (err error) {
	if k.c, err = k.open(ctx); err != nil {
		return err
	}
	e := k.e
	lines, line, err := readIdentification(k.c, k.s.Limits().ReplyLines)
	if line != "" || len(lines) > 0 {
		e.GreetingLines = []string{}
	}
	for _, l := range lines {
		e.GreetingLines = append(e.GreetingLines, text(string(l)))
	}
	if line != "" {
		id, _ := parseIdentification(line)
		e.Identification, e.ProtocolVersion = text(line), text(id.version)
		e.Software, e.Comment = text(id.software), text(id.comment)
		e.TransferHint = transferHint(e.Software)
		e.IdentificationTooLong = len(line) > maxIdentification
	}
	k.id = line
	return err
}

// exchange holds the first conversation, which shows the server's lists and one host key, and at LevelAnonymous the ways to
// log in. Nothing in common is an answer.
func (k *talk) exchange(ctx context.Context) error {
	login := k.s.Level() >= probe.LevelAnonymous
	all, err := k.hostKey(ctx, k.c, k.id, "", login)
	_ = k.c.Close()
	e := k.e
	if all.kexInit != nil {
		e.Algorithms, e.StrictKex, e.HASSHServer = all.kexInit.algorithms(), all.kexInit.strict(), all.kexInit.hassh()
	}
	e.Banner = text(all.banner)
	if all.asked {
		e.NoneAccepted = probe.FactOf(all.let)
	}
	if all.asked && !all.let {
		e.AuthMethods = clean(all.methods)
	}
	if err != nil {
		k.others = reasonOf(err)
	}
	if k.others == ReasonNoCommon {
		return nil // that is what was to be learned
	}
	for pointer, learned := range map[string]bool{
		"/evidence/algorithms": e.Algorithms != nil, "/evidence/host_keys": e.HostKeys != nil, "/evidence/auth_methods": all.asked || !login,
	} {
		if !learned {
			k.s.Lost(pointer, err)
		}
	}
	return err
}

// hostKey asks for a host key of the type, of any if it is empty, and with login for the methods to log in.
func (k *talk) hostKey(ctx context.Context, c *probe.Conn, id, keyType string, login bool) (said, error) {
	x := &exchange{s: k.s, login: login}
	all, err := x.converse(ctx, c, id, algorithmsFor(keyType))
	h, ok := describeKey(all.blob)
	if !ok || keyType != "" && h.Type != keyType { // the latter nobody asked for
		return all, err
	}
	malformed, tooLong := errors.Is(err, probe.OutcomeMalformed), len(id) > maxIdentification
	switch {
	case all.proven:
		h.Proven = probe.Yes
	case malformed && (!verifiable(h) || tooLong && !login):
		err = nil // it is the library that can't go on
	case malformed && tooLong: // and not that the signature is wrong, as the library has it
		err = probe.Errorf(opExchange, probe.OutcomeMalformed, "an identification of %d bytes, where %d are allowed: "+
			"what is signed can't be verified, nor a login begun", len(id), maxIdentification)
	}
	k.e.HostKeys = append(k.e.HostKeys, h)
	return all, err
}

// otherHostKeys asks for the keys of the types that the first conversation didn't show, one after the other, until the
// server has had enough.
func (k *talk) otherHostKeys(ctx context.Context) {
	if k.e.Algorithms == nil || k.others == ReasonNoCommon {
		return
	}
	for _, t := range plainFirst(keyTypes(k.e.Algorithms.HostKey)) {
		if k.has(t) || len(algorithmsFor(t)) == 0 {
			continue
		}
		if k.opened >= k.mostConns() {
			k.reasons[t] = ReasonLimit
			continue
		}
		err := k.another(ctx, t)
		if err == nil {
			continue
		}
		k.reasons[t] = reasonOf(err)
		if r := k.reasons[t]; r == ReasonDropped || r == ReasonNotAsked {
			k.s.Lost("/evidence/host_keys", err)
			return // nor would it answer for the next
		}
	}
}

// mostConns is how many connections there may be for host keys.
func (k *talk) mostConns() int {
	most := maxConns
	if k.s.Level() >= probe.LevelAnonymous {
		most = maxConnsAnonymous
	}
	return min(most, k.s.Limits().Conns)
}

// another opens a connection for one more host key.
func (k *talk) another(ctx context.Context, keyType string) error {
	c, id, err := k.again(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = k.hostKey(ctx, c, id, keyType, false)
	return err
}

// again opens a new connection and reads the identification on it.
func (k *talk) again(ctx context.Context) (c *probe.Conn, id string, err error) {
	if c, err = k.open(ctx); err != nil {
		return nil, "", err
	}
	if _, id, err = readIdentification(c, k.s.Limits().ReplyLines); err != nil {
		_ = c.Close()
		return nil, "", err
	}
	return c, id, nil
}

// reasonOf tells why an exchange gave no host key: not_asked if that wasn't the server's doing, or it kept silent.
func reasonOf(err error) Reason {
	var limit *probe.LimitError
	if errors.As(err, &limit) && limit.Limit == "Conns" { // some were used before the prober got the session
		return ReasonLimit
	}
	if errors.As(err, new(*ssh.AlgorithmNegotiationError)) {
		return ReasonNoCommon
	}
	switch probe.OutcomeOf(err) {
	case probe.OutcomeClosed, probe.OutcomeRefused, probe.OutcomeBusy, probe.OutcomeDenied:
		return ReasonDropped
	case probe.OutcomeMalformed, probe.OutcomeNotProtocol:
		return ReasonFailed
	}
	return ReasonNotAsked
}

func (k *talk) has(keyType string) bool {
	return slices.ContainsFunc(k.e.HostKeys, func(h HostKey) bool { return h.Type == keyType })
}

// missing lists the types of host keys that weren't learned.
func (k *talk) missing() {
	if k.e.Algorithms == nil {
		return
	}
	k.e.HostKeysMissing = []MissingHostKey{}
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

// plainFirst puts plain keys before certificates, which hold the same ones.
func plainFirst(types []string) []string {
	return slices.SortedStableFunc(slices.Values(types), func(a, b string) int {
		return strings.Count(a, certSuffix) - strings.Count(b, certSuffix)
	})
}
