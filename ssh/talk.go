package ssh

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	s       *probe.Session
	e       *Evidence
	c       *probe.Conn // the first connection
	id      string      // the server's identification, as it came
	opened  int
	reasons map[string]Reason // why host keys weren't learned, by type
	others  Reason            // for types without one
}

func newTalk(s *probe.Session) *talk {
	t := &talk{s: s, e: new(Evidence), reasons: map[string]Reason{}, others: ReasonNotAsked}
	s.Keep(t.e)
	return t
}

func (t *talk) open(ctx context.Context) (*probe.Conn, error) {
	t.opened++
	return t.s.Open(ctx)
}

// greet opens the first connection and reads what the server says by itself.
func (t *talk) greet(ctx context.Context) (err error) {
	if t.c, err = t.open(ctx); err != nil {
		return err
	}
	e := t.e
	lines, line, err := readIdentification(t.c, t.s.Limits().ReplyLines)
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
	t.id = line
	return err
}

// exchange holds the first conversation, which shows the server's lists and one host key, and at LevelAnonymous the ways to
// log in. Nothing in common is an answer.
func (t *talk) exchange(ctx context.Context) error {
	login := t.s.Level() >= probe.LevelAnonymous
	all, err := t.hostKey(ctx, t.c, t.id, "", login)
	_ = t.c.Close()
	e := t.e
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
		t.others = reasonOf(err)
	}
	if t.others == ReasonNoCommon {
		return nil // that is what was to be learned
	}
	if e.Algorithms == nil {
		t.s.Lost("/evidence/algorithms", err)
	}
	if e.HostKeys == nil {
		t.s.Lost("/evidence/host_keys", err)
	}
	if login && !all.asked {
		t.s.Lost("/evidence/auth_methods", err)
	}
	return err
}

// hostKey asks for a host key of the type, of any if it is empty, and with login for the methods to log in.
func (t *talk) hostKey(ctx context.Context, c *probe.Conn, id, keyType string, login bool) (said, error) {
	x := &exchange{s: t.s, login: login}
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
	t.e.HostKeys = append(t.e.HostKeys, h)
	return all, err
}

// otherHostKeys asks for the keys of the types that the first conversation didn't show, one after the other, until the
// server has had enough.
func (t *talk) otherHostKeys(ctx context.Context) {
	if t.e.Algorithms == nil || t.others == ReasonNoCommon {
		return
	}
	for _, keyType := range plainFirst(keyTypes(t.e.Algorithms.HostKey)) {
		if t.has(keyType) || len(algorithmsFor(keyType)) == 0 {
			continue
		}
		if t.opened >= t.mostConns() {
			t.reasons[keyType] = ReasonLimit
			continue
		}
		err := t.another(ctx, keyType)
		if err == nil {
			continue
		}
		t.reasons[keyType] = reasonOf(err)
		if r := t.reasons[keyType]; r == ReasonDropped || r == ReasonNotAsked {
			t.s.Lost("/evidence/host_keys", err)
			return // nor would it answer for the next
		}
	}
}

// mostConns is how many connections there may be for host keys.
func (t *talk) mostConns() int {
	most := maxConns
	if t.s.Level() >= probe.LevelAnonymous {
		most = maxConnsAnonymous
	}
	return min(most, t.s.Limits().Conns)
}

// another opens a connection for one more host key.
func (t *talk) another(ctx context.Context, keyType string) error {
	c, id, err := t.again(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = t.hostKey(ctx, c, id, keyType, false)
	return err
}

// again opens a new connection and reads the identification on it.
func (t *talk) again(ctx context.Context) (c *probe.Conn, id string, err error) {
	if c, err = t.open(ctx); err != nil {
		return nil, "", err
	}
	if _, id, err = readIdentification(c, t.s.Limits().ReplyLines); err != nil {
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

func (t *talk) has(keyType string) bool {
	return slices.ContainsFunc(t.e.HostKeys, func(h HostKey) bool { return h.Type == keyType })
}

// missing lists the types of host keys that weren't learned.
func (t *talk) missing() {
	if t.e.Algorithms == nil {
		return
	}
	t.e.HostKeysMissing = []MissingHostKey{}
	for _, keyType := range keyTypes(t.e.Algorithms.HostKey) {
		r := t.others
		if own, ok := t.reasons[keyType]; ok {
			r = own
		} else if len(algorithmsFor(keyType)) == 0 {
			r = ReasonUnsupported
		}
		if !t.has(keyType) {
			t.e.HostKeysMissing = append(t.e.HostKeysMissing, MissingHostKey{Type: keyType, Reason: r})
		}
	}
}

// plainFirst puts plain keys before certificates, which hold the same ones.
func plainFirst(types []string) []string {
	return slices.SortedStableFunc(slices.Values(types), func(a, b string) int {
		return strings.Count(a, certSuffix) - strings.Count(b, certSuffix)
	})
}
