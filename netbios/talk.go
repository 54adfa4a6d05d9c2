package netbios

import (
	"context"
	"fmt"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// The names of a session request: a wildcard for the file server, which servers up to Windows XP and Samba answer to,
// and who calls.
var (
	anyServer = nbt.Name([]byte("*SMBSERVER     \x20"))
	caller    = nbt.Name([]byte("HANDCLASP      \x00"))
)

// status asks for the node's name table (RFC 1002 §4.2.17). It is nil where none came; it holds what came beside an error.
func status(s *probe.Session, c *probe.Conn, e *Evidence) (*nbt.Status, error) {
	a, err := nbt.Ask(s, c, nbt.Wildcard, nbt.TypeStatus)
	e.Strays += a.Strays
	if err != nil {
		return nil, err
	}
	e.ResponseBytes, e.Amplification = a.Bytes, ratio(a.Bytes, a.Asked)
	e.ResponseCode, e.Truncated = a.Code, a.Truncated || a.Short
	if a.Code != 0 {
		return nil, nil
	}
	table, err := nbt.ParseStatus(a.Data)
	e.learn(table, err == nil && !e.Truncated)
	if err == nil && a.Short {
		err = fmt.Errorf("ends before its length")
	}
	if err != nil {
		err = &probe.Error{Op: "node status", Outcome: probe.OutcomeMalformed, Err: err}
	}
	return table, err
}

// known returns a name by which a host can be asked for its addresses.
func known(table *nbt.Status) nbt.Name {
	if n, ok := table.FileServer(); ok && askable(n) {
		return n
	}
	for _, entry := range table.Names {
		own := entry.Flags&(nbt.FlagGroup|nbt.FlagDeregister|nbt.FlagConflict) == 0
		if own && entry.Name.Suffix() == nbt.SuffixWorkstation && askable(entry.Name) {
			return entry.Name
		}
	}
	return nbt.Wildcard
}

// addresses asks for the addresses of a name (RFC 1002 §4.2.12). A host may keep silent, as one does that has no such
// name.
func addresses(ctx context.Context, s *probe.Session, c *probe.Conn, e *Evidence, n nbt.Name) error {
	e.QueriedName = notation(n)
	a, err := nbt.Ask(s, c, n, nbt.TypeNB)
	e.Strays += a.Strays
	if err != nil {
		return unlessUnanswered(ctx, err)
	}
	if e.QueryCode = a.Code; a.Code != 0 {
		return nil
	}
	e.Addresses, err = nbt.ParseAddresses(a.Data)
	if err == nil && a.Short {
		err = fmt.Errorf("ends before its length")
	}
	if err != nil {
		err = &probe.Error{Op: "name query", Outcome: probe.OutcomeMalformed, Err: err}
	}
	return err
}

// call asks for a session with a name (RFC 1002 §4.3.2), on a connection of its own. What comes next in a session would be
// SMB, so that the connection ends here.
func call(ctx context.Context, s *probe.Session, e *Evidence, called nbt.Name) error {
	c, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if s.Level() < probe.LevelHandshake {
		return nil
	}
	if err := c.Send(nbt.AppendSessionRequest(nil, called, caller)); err != nil {
		return err
	}
	r, err := nbt.ReadSessionReply(c)
	if err != nil {
		return err
	}
	e.CalledName, e.Session, e.SessionError, e.Retarget = called.Text(), SessionPositive, "", ""
	switch r.Type {
	case nbt.TypeNegative:
		e.Session, e.SessionError = SessionNegative, r.ErrorText()
	case nbt.TypeRetarget:
		e.Session, e.Retarget = SessionRetarget, r.Retarget.String()
	}
	return nil
}

// unlessUnanswered returns err, but nil for an additional question that wasn't answered: what was learned before is the
// result then.
func unlessUnanswered(ctx context.Context, err error) error {
	switch probe.OutcomeOf(err) {
	case probe.OutcomeTimeout, probe.OutcomeRefused, probe.OutcomeUnreachable, probe.OutcomeClosed, probe.OutcomeNotProtocol,
		probe.OutcomeMalformed:
		if ctx.Err() == nil {
			return nil
		}
	}
	return err
}
