package nntp

import (
	"context"
	"errors"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A talk is one conversation.
type talk struct {
	s       *probe.Session
	c       *probe.Conn
	e       *Evidence
	group   string // the random part of the name that is asked for
	listed  bool   // CAPABILITIES gave a whole list
	greeted bool   // it is NNTP that is spoken
	leaving bool   // the server said that it closes the connection
}

func dial(ctx context.Context, s *probe.Session, e *Evidence) (*talk, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &talk{s: s, c: c, e: e}, nil
}

// reply reads the first line of a reply.
func (k *talk) reply() (*probe.Reply, error) {
	r, err := textline.ReadReply(k.c, textline.SingleLine, 1)
	if k.greeted {
		err = textline.Malformed(err)
	}
	k.greeted = k.greeted || r != nil && isGreeting(r.Code)
	k.leaving = k.leaving || r.Is(codeDiscontinued) // RFC 3977 §3.2.1
	return r, err
}

// ask sends a command and reads the first line of its reply.
func (k *talk) ask(command string) (*probe.Reply, error) {
	if err := k.c.Send([]byte(command + "\r\n")); err != nil {
		return nil, err
	}
	return k.reply()
}

// list asks for a list. Its lines, never nil, are those that came, also beside an error; whole says that all did. A
// refusal is a reply without lines.
func (k *talk) list(command string, codes ...int) (r *probe.Reply, lines []string, whole bool, err error) {
	if r, err = k.ask(command); err != nil || !r.Is(codes...) {
		return r, []string{}, false, err
	}
	most := k.s.Limits().ReplyLines
	lines, truncated, err := textline.ReadBlock(k.c, most)
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line) // LIST EXTENSIONS is indented by some
	}
	if truncated {
		err = &probe.Error{Op: "reply", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: most}}
	}
	k.listed = k.listed || err == nil && command == cmdCapabilities
	return r, lines, err == nil, err
}

// maxGroups is how many groups are read: enough to tell what kind of server it is.
const maxGroups = 100

// groups reads the beginning of the list of groups.
func (k *talk) groups() error {
	r, err := k.ask(cmdListActive)
	if err != nil || !r.Is(codeList) {
		return err
	}
	lines, truncated, err := textline.ReadBlock(k.c, min(maxGroups, k.s.Limits().ReplyLines))
	k.e.Groups = parseGroups(lines, truncated)
	return err
}

// quit says goodbye. A server that hangs up at once has understood as well.
func (k *talk) quit() error {
	_, err := k.ask(cmdQuit)
	if errors.Is(err, probe.ErrClosed) {
		return nil
	}
	return err
}

// switched reports whether MODE READER was accepted.
func (k *talk) switched() bool { return k.e.ModeReader.Is(codePosting, codeNoPosting) }
