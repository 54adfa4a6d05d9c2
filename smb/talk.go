package smb

import (
	"context"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	p       Prober
	s       *probe.Session
	e       *Evidence
	netbios bool     // SMB is carried inside NetBIOS sessions
	called  nbt.Name // that the server took
	every   error    // why the offer of all dialects of SMB 2 and 3 wasn't answered by one of them
	err     error    // the first that isn't evidence
}

func newTalk(p Prober, s *probe.Session) *talk {
	t := &talk{p: p, s: s, e: new(Evidence)}
	t.netbios = p.NetBIOS == probe.Yes || p.NetBIOS == probe.Unknown && s.Target().Addr.Port() == portNetBIOS
	s.Keep(t.e)
	return t
}

const (
	transportDirect  = "direct"
	transportNetBIOS = "netbios"
)

// knock opens a connection and says nothing.
func (t *talk) knock(ctx context.Context) error {
	c, err := t.s.Open(ctx)
	if err != nil {
		return err
	}
	_ = c.Close()
	return nil
}

// first opens the first connection, and learns by which name the server is called. It returns nil without an error if
// the server refuses the session in words.
func (t *talk) first(ctx context.Context) (c *probe.Conn, err error) {
	if !t.netbios {
		if c, err = t.s.Open(ctx); err == nil {
			t.e.Transport = transportDirect
		}
		return c, err
	}
	c, t.called, err = nbt.Call{Session: t.s, Asked: t.e.sessionRequest}.Open(ctx)
	if c != nil {
		t.e.Transport, t.e.CalledName = transportNetBIOS, t.called.Text()
	}
	return c, err
}

// sessionRequest notes the answer to a request for a session, if one came.
func (e *Evidence) sessionRequest(called nbt.Name, reply *nbt.SessionReply) {
	note := SessionRequest{CalledName: called.Text()}
	switch {
	case reply == nil:
	case reply.Type == nbt.TypePositive:
		note.Reply = "positive"
	case reply.Type == nbt.TypeNegative:
		note.Reply, note.Error = "negative", reply.ErrorText()
	case reply.Type == nbt.TypeRetarget:
		note.Reply, note.Retarget = "retarget", reply.Retarget.String()
	}
	e.SessionRequests = append(e.SessionRequests, note)
}

// open opens a later connection that carries SMB.
func (t *talk) open(ctx context.Context) (*probe.Conn, error) {
	c, err := t.s.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.prepare(c); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// prepare makes a later connection carry SMB. A server that took the name before and doesn't now is busy.
func (t *talk) prepare(c *probe.Conn) error {
	if !t.netbios {
		return nil
	}
	reply, err := nbt.RequestSession(c, t.called)
	if err != nil || reply.Type == nbt.TypePositive {
		return err
	}
	if err := reply.Refusal(); err != nil {
		return err
	}
	return probe.Errorf(opSession, probe.OutcomeBusy, "%s doesn't take another session", t.called.Text())
}

// everything offers all dialects of SMB 2 and 3. If that isn't answered it offers SMB1, and reports whether either
// was, by a server that has time.
func (t *talk) everything(ctx context.Context, c *probe.Conn) bool {
	defer c.Close()
	q := everyDialect
	if t.fail(q.draw(t.s)); t.err != nil {
		return false
	}
	a := q.hold(c)
	t.e.preferred(a)
	t.every = a.err
	if a.answered() && !(errors.Is(a.err, probe.OutcomeBusy) && a.setup == nil) {
		t.lose(a.err, "/evidence/ntlm", "/evidence/ntlm_accepted", "/evidence/session_setup_status")
		return true
	}
	_ = c.Close()
	only := answer{err: a.err}
	if errors.Is(a.err, probe.OutcomeClosed) || errors.Is(a.err, probe.OutcomeTimeout) || errors.Is(a.err, probe.OutcomeMalformed) {
		only = t.alone(ctx, offerSMB1)
	}
	if !only.answered() {
		t.fail(a.err)
		return false
	}
	t.e.smb1(only)
	t.lose(only.err, t.e.smb1Login()...)
	return true
}

var (
	everyDialect = question{dialects: dialects, algorithms: everything, setup: true}
	offerSMB1    = question{smb1: smb1Dialects, extended: true, setup: true}
)

// matrix asks for each dialect alone, and for SMB1.
func (t *talk) matrix(ctx context.Context) {
	var list []question
	if t.e.NegotiateStatus != statusName(statusNotSupported) {
		for _, d := range dialects {
			list = append(list, question{dialects: []uint16{d}, algorithms: everything})
		}
	}
	if t.e.SMB1.Outcome == "" {
		list = append(list, offerSMB1)
	}
	answers := t.each(ctx, list)
	for i := range list {
		if q := &list[i]; len(q.smb1) > 0 {
			t.e.smb1(answers[i])
		} else {
			t.e.alone(q.dialects[0], answers[i])
		}
	}
	for i := range list {
		switch q, a := &list[i], &answers[i]; {
		case t.e.hungUp(q, a):
		case a.smb1 != nil && (a.smb1.dialect != "" || a.smb1.refused):
			t.lose(a.err, t.e.smb1Login()...)
		case len(q.smb1) > 0:
			t.lose(a.err, "/evidence/smb1")
		default:
			t.lose(a.err, fmt.Sprintf("/evidence/matrix/%d", i), "/evidence/dialects", "/evidence/dialects_refused", "/evidence/encryption")
		}
	}
	if t.e.PreferredDialect == "" && (len(t.e.Dialects) > 0 || errors.Is(t.every, probe.OutcomeDenied)) {
		t.lose(t.every, preferredFields...)
	}
	t.e.conclude()
}

// preferredFields point to what only the answer to an offer of all dialects tells.
var preferredFields = []string{
	"/evidence/preferred_dialect", "/evidence/signing_enabled", "/evidence/signing_required", "/evidence/encryption", "/evidence/server_guid",
	"/evidence/capabilities", "/evidence/auth_mechanisms", "/evidence/preauth_hash", "/evidence/ciphers", "/evidence/compression", "/evidence/signing_algorithms",
	"/evidence/ntlm", "/evidence/ntlm_accepted", "/evidence/session_setup_status",
}

// details asks what only makes sense behind what was learned: SMB1 without extended security and the dialects of LAN
// Manager, and the algorithms of 3.1.1.
func (t *talk) details(ctx context.Context) {
	var list []question
	if t.e.SMB1.Supported == probe.Yes {
		list = append(list, question{smb1: lanmanDialects})
		if t.e.SMB1.Dialect == dialectNTLM012 && t.e.SMB1.ServerName == "" {
			list = append(list, question{smb1: smb1Dialects})
		}
	}
	if t.p.Algorithms && t.e.PreferredDialect == dialectNames[dialect311] {
		for i, cipher := range everything.ciphers {
			signing := everything.signing[min(i, len(everything.signing)-1)]
			one := offer{ciphers: []uint16{cipher}, compression: everything.compression, signing: []uint16{signing}}
			list = append(list, question{dialects: []uint16{dialect311}, algorithms: one})
		}
	}
	answers := t.each(ctx, list)
	for i := range list {
		switch q, a := &list[i], &answers[i]; {
		case len(q.smb1) == len(lanmanDialects) && a.hungUp(): // how most servers have them off
		case len(q.smb1) > 0:
			t.e.smb1Detail(*a)
			t.lose(a.err, "/evidence/smb1/dialects", "/evidence/smb1/domain", "/evidence/smb1/server_name")
		default:
			t.e.algorithms(q.algorithms, *a)
			t.lose(a.err, "/evidence/ciphers", "/evidence/signing_algorithms")
		}
	}
}

// fail keeps the first error.
func (t *talk) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// lose names what a conversation that was lost leaves unknown. An answer that makes no sense is the probe's error instead.
func (t *talk) lose(err error, pointers ...string) {
	for _, pointer := range pointers {
		t.s.Lost(pointer, err)
	}
	if probe.OutcomeOf(err).Answered() {
		t.fail(err)
	}
}
