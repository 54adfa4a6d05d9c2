package smb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/internal/ntlmssp"
)

// A session1 is a null session of SMB1.
type session1 struct {
	visit
	server *negotiate1Reply

	multiplex  uint16 // the next request's number
	user, tree uint16
	connected  bool // tree is there
	file       uint16
	opened     bool // file is there
}

func (s *session1) negotiate() (err error) {
	b, err := exchange(s.c, opAnonymous, negotiate1(smb1Dialects, true))
	if err != nil {
		return err
	}
	s.multiplex++
	if s.server, err = parseNegotiate1(b, smb1Dialects); err != nil {
		return err
	}
	s.said.NegotiateStatus = statusName(s.server.status)
	if s.server.dialect != dialectNTLM012 {
		return errRefused
	}
	return nil
}

// logIn logs in without a user, by NTLM if the server has extended security.
func (s *session1) logIn() error {
	var reply *setupReply
	var err error
	if s.extended() {
		if reply, err = s.setup(sessionSetup1(s.server.sessionKey, ntlmToken(ntlmssp.Negotiate()))); err == nil && reply.status == statusMoreProcessing {
			if err = anyChallenge(reply.token); err == nil {
				reply, err = s.setup(sessionSetup1(s.server.sessionKey, anonymousToken()))
			}
		}
	} else {
		reply, err = s.setup(anonymousSetup1(s.server.sessionKey))
	}
	if err != nil {
		return err
	}
	s.e.SMB1.native(reply)
	if s.said.Status = statusName(reply.status); reply.status != statusSuccess {
		return refusal(reply.status)
	}
	s.said.Flags = sessionFlags(reply.flags & setup1Guest)
	return nil
}

func (s *session1) extended() bool { return s.server.capabilities&cap1ExtendedSecurity != 0 }

func (s *session1) setup(body []byte) (*setupReply, error) {
	r, err := s.request(command1SessionSetup, body)
	if err != nil {
		return nil, err
	}
	s.user = r.user
	return r.setup()
}

func (s *session1) connect() error {
	r, err := s.request(command1TreeConnect, treeConnect1(`\\`+s.host+`\IPC$`))
	if err != nil {
		return err
	}
	if s.said.TreeStatus = statusName(r.status); r.status != statusSuccess {
		return refusal(r.status)
	}
	s.tree, s.connected = r.tree, true
	if r, err = s.ask(command1Create, openPipe1("srvsvc")); err != nil {
		return err
	}
	if s.file, err = r.file(); err == nil {
		s.opened = true
	}
	return err
}

func (s *session1) transact(request []byte) ([]byte, error) {
	r, err := s.ask(command1Transaction, transact1(s.file, request, maxFragment), statusBufferOverflow)
	if err != nil {
		return nil, err
	}
	return r.transacted(maxFragment)
}

func (s *session1) read(most int) ([]byte, error) {
	r, err := s.ask(command1Read, readPipe1(s.file, most), statusBufferOverflow)
	if err != nil {
		return nil, err
	}
	return r.read(most)
}

// ask makes a request of the list's. A status that says no, other than one that says that there is more, ends the session,
// and is how the list ended.
func (s *session1) ask(command byte, body []byte, more ...uint32) (response1, error) {
	r, err := s.request(command, body)
	if err == nil && r.status != statusSuccess && !slices.Contains(more, r.status) {
		s.said.ListStatus, err = statusName(r.status), refusal(r.status)
	}
	return r, err
}

// sharesByRAP asks for the list without the server service.
func (s *session1) sharesByRAP() (shares []Share, err error) {
	if err := s.send(command1Transaction, rapShares()); err != nil {
		return nil, err
	}
	var t transaction
	for range maxPDUs {
		r, err := s.reply(command1Transaction, rapMost)
		if err != nil {
			return nil, err
		}
		if r.status != statusSuccess {
			s.multiplex++
			return nil, refusal(r.status)
		}
		last, err := t.add(r)
		if err != nil {
			return nil, err
		}
		if !last {
			continue
		}
		s.multiplex++
		shares, code, err := t.shares()
		if err == nil && code != 0 {
			err = errRefused
		}
		return shares, err
	}
	return nil, errors.New("more messages than a list of shares takes")
}

func (s *session1) leave() (err error) {
	bye := func(command byte, body []byte) {
		if err == nil {
			_, err = s.request(command, body)
		}
	}
	if s.opened {
		bye(command1Close, closePipe1(s.file))
	}
	if s.connected {
		bye(command1TreeDisconnect, disconnect1())
	}
	s.tree = 0
	bye(command1Logoff, logoff1())
	return err
}

// request makes a request and returns the reply to it, whatever it says.
func (s *session1) request(command byte, body []byte) (r response1, err error) {
	if err := s.send(command, body); err != nil {
		return r, err
	}
	r, err = s.reply(command, maxFragment)
	if err == nil {
		s.multiplex++
	}
	return r, err
}

func (s *session1) send(command byte, body []byte) error {
	h := header1{command: command, flags2: flags2(s.extended()), tree: s.tree, user: s.user, multiplex: s.multiplex}
	return s.c.Send(frame(h.request(body)))
}

// reply returns a reply to the last request, which brings at most so many bytes.
func (s *session1) reply(command byte, most int) (r response1, err error) {
	b, err := receive(s.c, opAnonymous, minorReply+most)
	if err != nil {
		return r, err
	}
	r, err = parseResponse1(b, command, s.multiplex)
	switch {
	case err != nil:
		return r, err
	case s.user != 0 && r.user != s.user && command != command1Logoff:
		return r, fmt.Errorf("a reply to user %d", r.user)
	case s.connected && command != command1TreeConnect && s.tree != 0 && r.tree != s.tree:
		return r, errors.New("a reply of another tree")
	}
	return r, nil
}
