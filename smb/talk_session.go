package smb

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// minorReply is how many bytes a reply behind the login may have beside the data that was asked for. Real ones stay far
// below.
const minorReply = 1 << 10

// Bounds of a list of shares. 128 KiB hold some 1,500 with ordinary names and comments.
const (
	maxPDUs = 64
	maxStub = 128 << 10
)

// errRefused ends a session that the server didn't give, or not so far: what it said is in the evidence.
var errRefused = errors.New("refused")

// refusal is what a status that says no stands for: errRefused, unless the server has no room now.
func refusal(status uint32) error {
	if err := busy(opAnonymous, status); err != nil {
		return err
	}
	return errRefused
}

// A session is a null session over a connection of its own, in the messages of one version of SMB. Its errors are of the
// connection, or say what is wrong with a reply.
type session interface {
	negotiate() error
	logIn() error
	// connect connects to IPC$, and opens the pipe of the server service there.
	connect() error
	pipe
	// leave says goodbye.
	leave() error
}

// A pipe carries PDUs of RPC and keeps their bounds: what is read is one PDU, or what is left of one.
type pipe interface {
	// transact writes a PDU and reads at most maxFragment bytes.
	transact(request []byte) ([]byte, error)
	// read reads at most so many bytes.
	read(most int) ([]byte, error)
}

// A visit is what sessions of all versions have.
type visit struct {
	c    *probe.Conn
	e    *Evidence
	said *AnonymousSession
	host string // how requests name the server
}

// nullSession learns what the server gives to anybody: Evidence.NullSession, Guest and Shares. It logs in without a user,
// connects to IPC$ and asks for the list of shares, on a connection of its own, by SMB1 if nothing newer is spoken.
func (t *talk) nullSession(ctx context.Context) {
	dialect, newer := dialectByName(t.e.PreferredDialect)
	if !newer && t.e.SMB1.Dialect != dialectNTLM012 {
		return
	}
	var random [randomSize]byte
	if newer {
		var err error
		if random, err = draw(t.s); err != nil {
			t.fail(err)
			return
		}
	}
	c, err := t.open(ctx)
	if err != nil {
		t.lose(err, "/evidence/anonymous", "/evidence/null_session", "/evidence/guest", "/evidence/shares")
		return
	}
	defer c.Close()
	t.e.Anonymous = new(AnonymousSession)
	v := visit{c: c, e: t.e, said: t.e.Anonymous, host: t.s.Target().Addr.Addr().Unmap().WithZone("").String()}
	if newer {
		err = v.hold(&session2{visit: v, dialect: dialect, random: random, credits: 1})
	} else {
		err = v.hold(&session1{visit: v})
	}
	t.e.NullSession, t.e.Guest = v.said.facts()
	switch {
	case err == nil, errors.Is(err, errRefused):
	case errors.Is(err, probe.OutcomeNotProtocol): // it spoke SMB before
		t.fail(malformed(opAnonymous, errors.Unwrap(err)))
	case errors.As(err, new(*probe.Error)):
		lost := []string{"/evidence/anonymous", "/evidence/shares"}
		if t.e.NullSession == probe.Unknown {
			lost = append(lost, "/evidence/null_session", "/evidence/guest")
		}
		t.lose(err, lost...)
	case errors.Is(err, errTooMany):
		t.fail(&probe.Error{Op: opAnonymous, Outcome: probe.OutcomeLimit, Err: err})
	default:
		t.fail(malformed(opAnonymous, err))
	}
}

// hold goes from the negotiation to the list of shares, as far as the server lets it, and says goodbye. A server that hangs
// up on that has understood as well.
func (v visit) hold(s session) error {
	if err := s.negotiate(); err != nil {
		return err
	}
	if err := s.logIn(); err != nil {
		return err
	}
	err := s.connect()
	if err == nil {
		var shares []Share
		if shares, err = (serverService{s, v.said}).shares(v.host); err == nil {
			v.e.Shares = shares
		}
	}
	if old, ok := s.(*session1); ok && old.connected && errors.Is(err, errRefused) {
		var shares []Share
		if shares, err = old.sharesByRAP(); err == nil {
			v.e.Shares, v.said.ListStatus = shares, systemErrorName(0)
		}
	}
	if err != nil && !errors.Is(err, errRefused) {
		return err
	}
	if err := s.leave(); !errors.Is(err, probe.OutcomeClosed) {
		return err
	}
	return nil
}

// A serverService is what is behind the pipe srvsvc (MS-SRVS), and what it said.
type serverService struct {
	pipe pipe
	said *AnonymousSession
}

// The numbers of both calls.
const (
	callBind = 1 + iota
	callEnum
)

// shares binds the pipe to the service and calls NetrShareEnum.
func (v serverService) shares(host string) ([]Share, error) {
	if err := v.bind(); err != nil {
		return nil, err
	}
	stub, err := v.enumerate(host)
	if err != nil {
		return nil, err
	}
	shares, result, err := parseShares(stub)
	if err != nil {
		return nil, err
	}
	if v.said.ListStatus = systemErrorName(result); result != 0 {
		return nil, errRefused
	}
	return shares, nil
}

func (v serverService) bind() error {
	b, err := v.pipe.transact(bindServerService(callBind))
	if err != nil {
		return err
	}
	p, err := v.whole(b, callBind)
	if err != nil {
		return err
	}
	accepted, err := p.accepts()
	if err == nil && !accepted {
		v.said.ListStatus, err = "RPC bind refused", errRefused
	}
	return err
}

// enumerate returns the result of the call, of as many PDUs as it takes.
func (v serverService) enumerate(host string) (stub []byte, err error) {
	b, err := v.pipe.transact(enumShares(callEnum, host))
	if err != nil {
		return nil, err
	}
	for range maxPDUs {
		p, err := v.whole(b, callEnum)
		if err != nil {
			return nil, err
		}
		part, err := p.part(len(stub) == 0)
		if err != nil {
			return nil, err
		}
		if stub = append(stub, part...); len(stub) > maxStub {
			return nil, errTooMany
		}
		if p.last {
			return stub, nil
		}
		if b, err = v.pipe.read(maxFragment); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("more RPC PDUs than a list of shares takes")
}

// whole returns the PDU that b begins, and reads what is missing of it: at once, as a pipe gives it. A fault ends the list.
func (v serverService) whole(b []byte, call uint32) (pdu, error) {
	p, err := parsePDU(b, call)
	if left := p.size - len(b); err == nil && left > 0 {
		var rest []byte
		if rest, err = v.pipe.read(left); err == nil && len(rest) != left {
			err = errors.New("a part of an RPC PDU")
		}
		p.data = append(b, rest...)
	}
	if fault := p.fault(); err == nil && fault != "" {
		v.said.ListStatus, err = fault, errRefused
	}
	return p, err
}
