package smb

import (
	"context"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

// minorReply is how many bytes a reply behind the login may have beside the data that was asked for. Real ones stay far
// below.
const minorReply = 1 << 10

// sessionOffer is what a null session negotiates. There is no key to encrypt or to sign with, but a server may want to know
// of ciphers; and nobody here could read what is compressed.
var sessionOffer = offer{ciphers: everything.ciphers}

// errRefused ends a session that the server didn't give, or not so far: what it said is in the evidence.
var errRefused = errors.New("refused")

// nullSession learns what the server gives to anybody: Evidence.NullSession, Guest and Shares. It logs in without a user,
// connects to IPC$ and asks for the list of shares, on a connection of its own.
func (k *talk) nullSession(ctx context.Context) {
	dialect, ok := dialectByName(k.e.PreferredDialect)
	if !ok || k.over(ctx) {
		return
	}
	random, err := draw(k.s)
	if err != nil {
		k.fail(err)
		return
	}
	c, err := k.open(ctx)
	if err != nil {
		k.fail(err)
		return
	}
	defer c.Close()
	k.e.Anonymous = &AnonymousSession{Flags: []string{}}
	s := &session{c: c, e: k.e, said: k.e.Anonymous, dialect: dialect, host: k.s.Target().Addr.Addr().Unmap().WithZone("").String(), credits: 1}
	err = s.hold(random)
	k.e.NullSession, k.e.Guest = s.said.facts()
	switch {
	case err == nil, errors.Is(err, errRefused):
	case errors.Is(err, probe.ErrNotProtocol): // it spoke SMB before
		k.fail(malformed(opAnonymous, errors.Unwrap(err)))
	case errors.As(err, new(*probe.Error)):
		k.fail(err)
	case errors.Is(err, errTooMany):
		k.fail(&probe.Error{Op: opAnonymous, Outcome: probe.OutcomeLimit, Err: err})
	default:
		k.fail(malformed(opAnonymous, err))
	}
}

// A session is one of SMB 2 without a user, and the connection that has it alone. Its errors are of the connection, or say
// what is wrong with a reply.
type session struct {
	c    *probe.Conn
	e    *Evidence
	said *AnonymousSession
	host string // how requests name the server

	dialect   uint16
	message   uint64 // the next request's number
	credits   int    // that the server granted and no request took
	id        uint64
	tree      uint32
	pipe      pipeID
	connected bool // tree is there
	opened    bool // pipe is there
}

// hold goes from the negotiation to the list of shares, as far as the server lets it, and says goodbye.
func (s *session) hold(random [randomSize]byte) error {
	if err := s.negotiate(random); err != nil {
		return err
	}
	if err := s.logIn(); err != nil {
		return err
	}
	err := s.list()
	if err == nil || errors.Is(err, errRefused) {
		return s.leave()
	}
	return err
}

func (s *session) negotiate(random [randomSize]byte) error {
	r, err := s.request(commandNegotiate, negotiate([]uint16{s.dialect}, sessionOffer, random), maxMessage)
	if err != nil {
		return err
	}
	s.said.NegotiateStatus = statusName(r.status)
	reply, err := parseNegotiate(r.message)
	switch {
	case err != nil:
		return err
	case reply.status != statusSuccess:
		return errRefused
	case reply.dialect != s.dialect:
		return fmt.Errorf("chose dialect %#04x, which wasn't offered", reply.dialect)
	}
	return nil
}

// logIn logs in without a user. A server may give a session at once, and then there is no more to ask for it.
func (s *session) logIn() error {
	reply, err := s.setup(ntlmToken(ntlmssp.Negotiate()))
	if err != nil {
		return err
	}
	if reply.status == statusMoreProcessing {
		message, err := challengeOf(reply.token)
		if err != nil {
			return err
		}
		if _, err := ntlmssp.Challenge(message); err != nil {
			return err
		}
		if reply, err = s.setup(anonymousToken()); err != nil {
			return err
		}
	}
	if s.said.Status = statusName(reply.status); reply.status != statusSuccess {
		return errRefused
	}
	if s.said.Flags = sessionFlags(reply.flags); reply.flags&sessionEncrypt != 0 {
		return errRefused
	}
	return nil
}

func (s *session) setup(token []byte) (*setupReply, error) {
	r, err := s.request(commandSessionSetup, sessionSetup(token), maxMessage)
	if err != nil {
		return nil, err
	}
	s.id = r.session
	return r.setup()
}

// list connects to the share of pipes, opens that of the server service, and asks it for the shares.
func (s *session) list() (err error) {
	r, err := s.request(commandTreeConnect, treeConnect(`\\`+s.host+`\IPC$`), minorReply)
	if err != nil {
		return err
	}
	if s.said.TreeStatus = statusName(r.status); r.status != statusSuccess {
		return errRefused
	}
	if err := r.structure(treeConnectReplySize); err != nil {
		return err
	}
	if le.Uint32(r.body[4:])&shareEncrypt != 0 {
		return errRefused
	}
	s.tree, s.connected = r.tree, true
	if r, err = s.ask(commandCreate, openPipe("srvsvc"), createReplySize, 0); err != nil {
		return err
	}
	s.pipe, s.opened = pipeOf(r), true
	shares, err := serverService{s, s.said}.shares(s.host)
	if err == nil {
		s.e.Shares = shares
	}
	return err
}

// transact implements pipe.
func (s *session) transact(request []byte) ([]byte, error) {
	r, err := s.ask(commandIoctl, transceive(s.pipe, request, maxFragment), ioctlReplySize, maxFragment)
	if err != nil {
		return nil, err
	}
	return transceived(r, maxFragment)
}

// read implements pipe.
func (s *session) read(most int) ([]byte, error) {
	r, err := s.ask(commandRead, readPipe(s.pipe, most), readReplySize, most)
	if err != nil {
		return nil, err
	}
	return dataRead(r, most)
}

// ask makes a request of the list's, which brings at most so many bytes of data, and returns a reply of the structure. A
// status that says no ends the session, and is how the list ended.
func (s *session) ask(command uint16, body []byte, structure, data int) (response, error) {
	r, err := s.request(command, body, minorReply+data)
	if err != nil {
		return r, err
	}
	if more := r.status == statusBufferOverflow && data > 0; r.status != statusSuccess && !more {
		s.said.ListStatus = statusName(r.status)
		return r, errRefused
	}
	return r, r.structure(structure)
}

// leave says goodbye. A server that hangs up has understood as well.
func (s *session) leave() (err error) {
	bye := func(command uint16, body []byte) {
		if err == nil {
			_, err = s.request(command, body, minorReply)
		}
	}
	if s.opened {
		bye(commandClose, closePipe(s.pipe))
	}
	if s.connected {
		bye(commandTreeDisconnect, empty())
	}
	s.tree = 0
	if bye(commandLogoff, empty()); errors.Is(err, probe.ErrClosed) {
		return nil
	}
	return err
}

// request makes a request and returns the final reply to it, of at most so many bytes, whatever it says.
func (s *session) request(command uint16, body []byte, most int) (r response, err error) {
	if s.credits--; s.credits < 0 {
		return r, errors.New("the server grants no credit to go on")
	}
	h := header{command: command, message: s.message, session: s.id, tree: s.tree}
	if command != commandNegotiate {
		h.charge = chargeOf(s.dialect)
	}
	if err := s.c.Send(frame(h.request(body))); err != nil {
		return r, err
	}
	for range 1 + maxInterim {
		b, err := receive(s.c, opAnonymous, most)
		if err != nil {
			return r, err
		}
		r, err = parseResponse(b, command, s.message)
		switch {
		case err != nil:
			return r, err
		case s.id != 0 && r.session != s.id:
			return r, errors.New("a reply of another session")
		case command != commandTreeConnect && !r.async && r.tree != s.tree:
			return r, errors.New("a reply of another tree")
		}
		if s.credits += r.credits; !r.pending {
			s.message++
			return r, nil
		}
	}
	return r, errors.New("the server only promises to answer")
}
