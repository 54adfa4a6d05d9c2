package smb

import (
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/internal/ntlmssp"
)

// sessionOffer is what a null session negotiates. There is no key to encrypt or to sign with, but a server may want to know
// of ciphers; and nothing here could read what is compressed.
var sessionOffer = offer{ciphers: everything.ciphers}

// A session2 is a null session of SMB 2.
type session2 struct {
	visit
	dialect uint16
	random  [randomSize]byte

	message   uint64 // the next request's number
	credits   int    // that the server granted and no request took
	id        uint64
	tree      uint32
	connected bool // tree is there
	file      pipeID
	opened    bool // file is there
}

func (s *session2) negotiate() error {
	r, err := s.request(commandNegotiate, negotiate([]uint16{s.dialect}, sessionOffer, s.random), maxMessage)
	if err != nil {
		return err
	}
	s.credits = max(s.credits, 1) // macOS grants none here, and answers
	s.said.NegotiateStatus = statusName(r.status)
	reply, err := parseNegotiate(r.message)
	switch {
	case err != nil:
		return err
	case reply.status != statusSuccess:
		return refusal(reply.status)
	case reply.dialect != s.dialect:
		return fmt.Errorf("chose dialect %#04x, which wasn't offered", reply.dialect)
	}
	return nil
}

// logIn logs in without a user. A server may give a session at once, and then there is no more to ask for it.
func (s *session2) logIn() error {
	reply, err := s.setup(ntlmToken(ntlmssp.Negotiate()))
	if err != nil {
		return err
	}
	if reply.status == statusMoreProcessing {
		if err := anyChallenge(reply.token); err != nil {
			return err
		}
		if reply, err = s.setup(anonymousToken()); err != nil {
			return err
		}
	}
	if s.said.Status = statusName(reply.status); reply.status != statusSuccess {
		return refusal(reply.status)
	}
	if s.said.Flags = sessionFlags(reply.flags); reply.flags&sessionEncrypt != 0 {
		return errRefused
	}
	return nil
}

func (s *session2) setup(token []byte) (*setupReply, error) {
	r, err := s.request(commandSessionSetup, sessionSetup(token), maxMessage)
	if err != nil {
		return nil, err
	}
	s.id = r.session
	return r.setup()
}

func (s *session2) connect() error {
	r, err := s.request(commandTreeConnect, treeConnect(`\\`+s.host+`\IPC$`), minorReply)
	if err != nil {
		return err
	}
	if s.said.TreeStatus = statusName(r.status); r.status != statusSuccess {
		return refusal(r.status)
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
	s.file, s.opened = pipeOf(r), true
	return nil
}

func (s *session2) transact(request []byte) ([]byte, error) {
	r, err := s.ask(commandIoctl, transceive(s.file, request, maxFragment), ioctlReplySize, maxFragment)
	if err != nil {
		return nil, err
	}
	return transceived(r, maxFragment)
}

func (s *session2) read(most int) ([]byte, error) {
	r, err := s.ask(commandRead, readPipe(s.file, most), readReplySize, most)
	if err != nil {
		return nil, err
	}
	return dataRead(r, most)
}

// ask makes a request of the list's, which brings at most so many bytes of data, and returns a reply of the structure. A
// status that says no ends the session, and is how the list ended.
func (s *session2) ask(command uint16, body []byte, structure, data int) (response, error) {
	r, err := s.request(command, body, minorReply+data)
	if err != nil {
		return r, err
	}
	if more := r.status == statusBufferOverflow && data > 0; r.status != statusSuccess && !more {
		s.said.ListStatus = statusName(r.status)
		return r, refusal(r.status)
	}
	return r, r.structure(structure)
}

func (s *session2) leave() (err error) {
	bye := func(command uint16, body []byte) {
		if err == nil {
			_, err = s.request(command, body, minorReply)
		}
	}
	if s.opened {
		bye(commandClose, closePipe(s.file))
	}
	if s.connected {
		bye(commandTreeDisconnect, empty())
	}
	s.tree = 0
	bye(commandLogoff, empty())
	return err
}

// request makes a request and returns the final reply to it, of at most so many bytes, whatever it says.
func (s *session2) request(command uint16, body []byte, most int) (r response, err error) {
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
