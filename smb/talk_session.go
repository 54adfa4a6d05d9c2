package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

const opAnonymous = "anonymous session"

// Bounds of what a server may say behind the login. Real ones stay far below.
const (
	minorReply = 1 << 10   // of a reply, beside the data that is asked for
	maxPDUs    = 64        // of a list of shares
	maxStub    = 128 << 10 // of all of them: some 1,500 shares with ordinary names and comments
)

// sessionOffer is what a null session negotiates. There is no key to encrypt or to sign with, but a server may want to know
// of ciphers; and nobody here could read what is compressed.
var sessionOffer = offer{ciphers: everything.ciphers}

// anonymous learns what the server gives to anybody: Evidence.NullSession, Guest and Shares. It logs in without a user,
// connects to IPC$ and asks for the list of shares, on a connection of its own from open, which makes it carry SMB.
func (p Prober) anonymous(ctx context.Context, s *probe.Session, e *Evidence, open func(context.Context) (*probe.Conn, error)) error {
	dialect, ok := dialectByName(e.PreferredDialect)
	if !ok {
		return nil // no SMB 2
	}
	var random [randomSize]byte
	if _, err := io.ReadFull(s.Rand(), random[:]); err != nil {
		return &probe.Error{Op: "rand", Outcome: probe.OutcomeInternal, Err: err}
	}
	c, err := open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	e.Anonymous = &AnonymousSession{Flags: []string{}}
	n := &session{c: c, dialect: dialect, random: random, host: s.Target().Addr.Addr().Unmap().WithZone("").String(), credits: 1, e: e}
	if err := n.hold(); !errors.Is(err, errRefused) {
		return err
	}
	return nil // it said so
}

// errRefused ends a session that the server didn't give, or not so far: what it said is in the evidence.
var errRefused = errors.New("refused")

// A session is a session without a user, and the connection that has it alone.
type session struct {
	c       *probe.Conn
	dialect uint16
	random  [randomSize]byte
	host    string // how requests name the server

	message uint64 // the next request's number
	credits int    // that the server granted and no request took
	session uint64
	tree    uint32
	pipe    pipeID

	connected, opened bool // tree and pipe are there

	e *Evidence
}

// hold goes from the negotiation to the list of shares, as far as the server lets it.
func (s *session) hold() (err error) {
	defer func() { s.e.NullSession, s.e.Guest = s.e.Anonymous.facts() }()
	if err := s.negotiate(); err != nil {
		return err
	}
	if err := s.logIn(); err != nil {
		return err
	}
	defer func() {
		if err == nil || errors.Is(err, errRefused) {
			err = s.leave()
		}
	}()
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	return s.list()
}

func (s *session) negotiate() error {
	r, err := s.request(commandNegotiate, negotiate([]uint16{s.dialect}, sessionOffer, s.random), maxMessage)
	if err != nil {
		return err
	}
	s.e.Anonymous.NegotiateStatus = statusName(r.status)
	switch reply, err := parseNegotiate(r.message); {
	case err != nil:
		return malformed(opAnonymous, err)
	case reply.status != statusSuccess:
		return errRefused
	case reply.dialect != s.dialect:
		return probe.Errorf(opAnonymous, probe.OutcomeMalformed, "chose dialect %#04x, which wasn't offered", reply.dialect)
	}
	return nil
}

// logIn logs in without a user. A server may give a session at once, and then there is no more to ask for it.
func (s *session) logIn() error {
	reply, err := s.setup(ntlmToken(ntlmssp.Negotiate()))
	if err == nil && reply.status == statusMoreProcessing {
		var message []byte
		if message, err = challengeOf(reply.token); err == nil {
			_, err = ntlmssp.Challenge(message)
		}
		if err != nil {
			return malformed(opAnonymous, err)
		}
		reply, err = s.setup(anonymousToken())
	}
	if err != nil {
		return err
	}
	s.e.Anonymous.Status = statusName(reply.status)
	if reply.status != statusSuccess {
		return errRefused
	}
	if s.e.Anonymous.Flags = sessionFlags(reply.flags); reply.flags&sessionEncrypt != 0 {
		return errRefused
	}
	return nil
}

func (s *session) setup(token []byte) (*setupReply, error) {
	r, err := s.request(commandSessionSetup, sessionSetup(token), maxMessage)
	if err != nil {
		return nil, err
	}
	s.session = r.session
	reply, err := r.setup()
	if err != nil {
		return nil, malformed(opAnonymous, err)
	}
	return reply, nil
}

// connect connects to the share of pipes.
func (s *session) connect() error {
	r, err := s.request(commandTreeConnect, treeConnect(`\\`+s.host+`\IPC$`), minorReply)
	if err != nil {
		return err
	}
	if s.e.Anonymous.TreeStatus = statusName(r.status); r.status != statusSuccess {
		return errRefused
	}
	if err := r.structure(treeConnectReplySize); err != nil {
		return malformed(opAnonymous, err)
	}
	if le.Uint32(r.body[4:])&shareEncrypt != 0 {
		return errRefused
	}
	s.tree, s.connected = r.tree, true
	return nil
}

// open opens the pipe of the server service.
func (s *session) open() error {
	r, err := s.ask(commandCreate, openPipe("srvsvc"), createReplySize, 0)
	if err == nil {
		s.pipe, s.opened = pipeOf(r), true
	}
	return err
}

// list asks for the shares: a bind to the server service, and a call of NetrShareEnum.
func (s *session) list() error {
	if err := s.bind(); err != nil {
		return err
	}
	stub, err := s.enumerate()
	if err != nil {
		return err
	}
	result, err := shareResult(stub)
	if err != nil {
		return malformed(opAnonymous, err)
	}
	if s.e.Anonymous.ListStatus = systemErrorName(result); result != 0 {
		return errRefused
	}
	shares, err := parseShares(stub)
	switch {
	case errors.Is(err, errTooMany):
		return &probe.Error{Op: opAnonymous, Outcome: probe.OutcomeLimit, Err: err}
	case err != nil:
		return malformed(opAnonymous, err)
	}
	s.e.Shares = shares
	return nil
}

// bind binds the pipe to the server service.
func (s *session) bind() error {
	const number = 1
	b, err := s.transact(bindServerService(number))
	if err != nil {
		return err
	}
	p, err := s.pdu(b, number)
	if err != nil {
		return err
	}
	accepted, err := p.accepts()
	switch {
	case err != nil:
		return malformed(opAnonymous, err)
	case !accepted:
		s.e.Anonymous.ListStatus = "RPC bind refused"
		return errRefused
	}
	return nil
}

// enumerate calls NetrShareEnum and returns its result, of as many PDUs as it takes.
func (s *session) enumerate() (stub []byte, err error) {
	const number = 2
	b, err := s.transact(enumShares(number, s.host))
	for range maxPDUs {
		if err != nil {
			return nil, err
		}
		p, pduErr := s.pdu(b, number)
		if pduErr != nil {
			return nil, pduErr
		}
		part, partErr := p.part(len(stub) == 0)
		if partErr != nil {
			return nil, malformed(opAnonymous, partErr)
		}
		if stub = append(stub, part...); len(stub) > maxStub {
			return nil, &probe.Error{Op: opAnonymous, Outcome: probe.OutcomeLimit, Err: errTooMany}
		}
		if p.last {
			return stub, nil
		}
		b, err = s.read(maxFragment)
	}
	return nil, malformed(opAnonymous, errors.New("more RPC PDUs than a list of shares takes"))
}

// pdu returns the PDU that b begins, and reads what is missing of it: at once, since a pipe keeps the bounds of messages.
func (s *session) pdu(b []byte, call uint32) (pdu, error) {
	p, err := parsePDU(b, call)
	if err != nil {
		return p, malformed(opAnonymous, err)
	}
	if left := p.size - len(b); left > 0 {
		rest, err := s.read(left)
		if err != nil {
			return p, err
		}
		if len(rest) != left {
			return p, malformed(opAnonymous, errors.New("a part of an RPC PDU"))
		}
		p.data = append(b, rest...)
	}
	if fault := p.fault(); fault != "" {
		s.e.Anonymous.ListStatus = fault
		return p, errRefused
	}
	return p, nil
}

// transact writes to the pipe and reads from it.
func (s *session) transact(request []byte) ([]byte, error) {
	r, err := s.ask(commandIoctl, transceive(s.pipe, request, maxFragment), ioctlReplySize, maxFragment)
	if err != nil {
		return nil, err
	}
	b, err := transceived(r, maxFragment)
	if err != nil {
		return nil, malformed(opAnonymous, err)
	}
	return b, nil
}

// read reads from the pipe.
func (s *session) read(most int) ([]byte, error) {
	r, err := s.ask(commandRead, readPipe(s.pipe, most), readReplySize, most)
	if err != nil {
		return nil, err
	}
	b, err := dataRead(r, most)
	if err != nil {
		return nil, malformed(opAnonymous, err)
	}
	return b, nil
}

// ask makes a request of the list's, which brings at most so many bytes of data, and returns a reply of the structure. A
// status that says no ends the session, and is how the list ended.
func (s *session) ask(command uint16, body []byte, structure, data int) (response, error) {
	r, err := s.request(command, body, minorReply+data)
	if err != nil {
		return r, err
	}
	if more := r.status == statusBufferOverflow && data > 0; r.status != statusSuccess && !more {
		s.e.Anonymous.ListStatus = statusName(r.status)
		return r, errRefused
	}
	if err := r.structure(structure); err != nil {
		return r, malformed(opAnonymous, err)
	}
	return r, nil
}

// leave says goodbye. A server that hangs up has understood as well.
func (s *session) leave() error {
	if s.opened {
		if err := s.bye(commandClose, closePipe(s.pipe)); err != nil {
			return err
		}
	}
	if s.connected {
		if err := s.bye(commandTreeDisconnect, empty()); err != nil {
			return err
		}
	}
	s.tree = 0
	return s.bye(commandLogoff, empty())
}

func (s *session) bye(command uint16, body []byte) error {
	if _, err := s.request(command, body, minorReply); !errors.Is(err, probe.ErrClosed) {
		return err
	}
	return nil
}

// request makes a request and returns the final reply to it, of at most so many bytes, whatever it says.
func (s *session) request(command uint16, body []byte, most int) (r response, err error) {
	if s.credits--; s.credits < 0 {
		return r, malformed(opAnonymous, errors.New("the server grants no credit to go on"))
	}
	h := header{command: command, charge: chargeOf(s.dialect), message: s.message, session: s.session, tree: s.tree}
	if command == commandNegotiate {
		h.charge = 0
	}
	if err := s.c.Send(frame(h.request(body))); err != nil {
		return r, err
	}
	for range 1 + maxInterim {
		m, err := receive(s.c, opAnonymous, most)
		if errors.Is(err, probe.ErrNotProtocol) {
			err = malformed(opAnonymous, errors.Unwrap(err)) // the server spoke SMB before
		}
		if err != nil {
			return r, err
		}
		if r, err = parseResponse(m, command, s.message); err == nil {
			err = s.mine(r, command)
		}
		if err != nil {
			return r, malformed(opAnonymous, err)
		}
		if s.credits += r.credits; !r.pending {
			s.message++
			return r, nil
		}
	}
	return r, malformed(opAnonymous, errors.New("the server only promises to answer"))
}

// mine checks that a reply is of the session and of the connection to the share, when there are such.
func (s *session) mine(r response, command uint16) error {
	switch {
	case s.session != 0 && r.session != s.session:
		return errors.New("a reply of another session")
	case command != commandTreeConnect && !r.async && r.tree != s.tree:
		return errors.New("a reply of another tree")
	}
	return nil
}

// denials are the statuses that say no to whoever has no name. Others may mean that the server is busy or the
// client old.
var denials = map[string]bool{
	"STATUS_ACCESS_DENIED": true, "STATUS_LOGON_FAILURE": true, "STATUS_LOGON_TYPE_NOT_GRANTED": true,
	"STATUS_ACCOUNT_RESTRICTION": true, "STATUS_ACCOUNT_DISABLED": true, "STATUS_NO_SUCH_USER": true,
	"STATUS_WRONG_PASSWORD": true, "STATUS_NETWORK_ACCESS_DENIED": true, "STATUS_NTLM_BLOCKED": true,
	"STATUS_LOGON_NOT_GRANTED": true, "STATUS_NOT_SUPPORTED": true,
}

// granted is yes for success, no for a denial, and unknown for what is neither.
func granted(status string) probe.Fact {
	switch {
	case status == "STATUS_SUCCESS":
		return probe.Yes
	case denials[status]:
		return probe.No
	}
	return probe.Unknown
}

// facts says whether a null session and one as guest were given that may connect to IPC$. The login had no user, so
// that the session is null where the server doesn't flag it as guest: Windows flags it, Samba doesn't. Whether there are
// guests where such a login doesn't make one isn't known: that would take the name of a user.
func (a *AnonymousSession) facts() (null, guest probe.Fact) {
	isGuest := slices.Contains(a.Flags, "guest")
	login, tree := granted(a.Status), granted(a.TreeStatus)
	switch {
	case login != probe.Yes:
		return login, probe.Unknown
	case isGuest && slices.Contains(a.Flags, "null"):
		return tree, tree
	case isGuest:
		return probe.No, tree
	}
	return tree, probe.Unknown
}

func sessionFlags(flags uint16) []string {
	list := []string{}
	for i := range 16 {
		switch bit := uint16(1) << i; flags & bit {
		case 0:
		case sessionGuest:
			list = append(list, "guest")
		case sessionNull:
			list = append(list, "null")
		case sessionEncrypt:
			list = append(list, "encrypt")
		default:
			list = append(list, fmt.Sprintf("0x%04x", bit))
		}
	}
	return list
}
