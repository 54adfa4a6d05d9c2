package netbios

import (
	"context"
	"fmt"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	s *probe.Session
	e *Evidence
}

func newTalk(s *probe.Session) *talk {
	t := &talk{s: s, e: new(Evidence)}
	s.Keep(t.e)
	return t
}

// knock opens a connection and says nothing.
func (t *talk) knock(ctx context.Context) error {
	c, err := t.s.Open(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// names asks for the host's names, and for the addresses of one of them.
func (t *talk) names(ctx context.Context) error {
	c, err := t.s.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	a, err := nbt.Ask(t.s, c, nbt.Wildcard, nbt.TypeStatus)
	table, broken := t.status(a)
	if err == nil {
		err = broken
	}
	if err != nil || table == nil {
		return err
	}
	return t.addresses(c, known(table))
}

// status takes over the answer to the question for the node's name table (RFC 1002 §4.2.17). The table is nil if none came; it
// holds what came beside an error.
func (t *talk) status(a nbt.Answer) (*nbt.Status, error) {
	e := t.e
	t.strays(a)
	if a.Reply == nil {
		return nil, nil
	}
	e.ResponseBytes, e.Amplification = a.Bytes, ratio(a.Bytes, a.Asked)
	e.ResponseCode, e.Truncated = a.Code, a.Truncated || a.Short
	if a.Code != 0 {
		return nil, nil
	}
	table, err := nbt.ParseStatus(a.Data)
	e.learn(table, err == nil && !e.Truncated)
	if err == nil && a.Short {
		err = errCut
	}
	if err != nil {
		err = &probe.Error{Op: "node status", Outcome: probe.OutcomeMalformed, Err: err}
	}
	return table, err
}

// strays notes what came that was no answer.
func (t *talk) strays(a nbt.Answer) {
	t.e.Strays += a.Strays + len(a.Elsewhere)
	for _, s := range a.Elsewhere {
		stray := Stray{From: s.From, Bytes: len(s.Data)}
		if r, err := nbt.ParseReply(s.Data); err == nil && r.Type == nbt.TypeStatus && r.Code == 0 {
			table, _ := nbt.ParseStatus(r.Data) // what came of it will do
			stray.Names = describeAll(table)
		}
		t.e.StrayReplies = append(t.e.StrayReplies, stray)
	}
}

// known returns a name by which a host can be asked for its addresses.
func known(table *nbt.Status) nbt.Name {
	if n, ok := table.FileServer(); ok && n.Printable() {
		return n
	}
	for _, entry := range table.Names {
		own := entry.Flags&(nbt.FlagGroup|nbt.FlagDeregister|nbt.FlagConflict) == 0
		if own && entry.Name.Suffix() == nbt.SuffixWorkstation && entry.Name.Printable() {
			return entry.Name
		}
	}
	return nbt.Wildcard
}

// addresses asks for the addresses of a name (RFC 1002 §4.2.12). A host may keep silent, as one does that has no such name.
func (t *talk) addresses(c *probe.Conn, n nbt.Name) error {
	e := t.e
	e.QueriedName = notation(n)
	a, err := nbt.Ask(t.s, c, n, nbt.TypeNB)
	t.strays(a)
	switch probe.OutcomeOf(err) {
	case probe.OutcomeOK:
	case probe.OutcomeNotProtocol:
		return nil // what answered the first question has no answer to the second
	default:
		t.s.Lost("/evidence/addresses", err)
		return nil
	}
	if e.QueryCode = a.Code; a.Code != 0 {
		e.Addresses = none
		return nil
	}
	e.Addresses, err = nbt.ParseAddresses(a.Data)
	if err == nil && a.Short {
		err = errCut
	}
	if err != nil {
		err = &probe.Error{Op: "name query", Outcome: probe.OutcomeMalformed, Err: err}
	}
	return err
}

var errCut = fmt.Errorf("ends before its length")

// session calls the file server by the name that most have, and if that is refused by its own (RFC 1002 §4.3.2). What comes
// next in a session would be SMB, so that the connection ends here.
func (t *talk) session(ctx context.Context) error {
	c, _, err := nbt.Call{
		Session: t.s, Asked: t.answered,
		Told: func(a nbt.Answer) { _, _ = t.status(a) }, // what came of it will do
	}.Open(ctx)
	if c != nil {
		_ = c.Close()
	}
	return err
}

// answered takes over the answer to a session request.
func (t *talk) answered(called nbt.Name, r *nbt.SessionReply) {
	if r == nil {
		return
	}
	e := t.e
	e.CalledName, e.Session, e.SessionError, e.Retarget = called.Text(), sessionPositive, "", ""
	switch r.Type {
	case nbt.TypeNegative:
		e.Session, e.SessionError = sessionNegative, r.ErrorText()
	case nbt.TypeRetarget:
		e.Session, e.Retarget = sessionRetarget, r.Retarget.String()
	}
}
