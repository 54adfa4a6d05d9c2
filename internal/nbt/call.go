package nbt

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// AnyServer is the called name that many file servers take for theirs, whatever theirs is. Windows Vista and later don't.
var AnyServer = Name([]byte("*SMBSERVER     \x20"))

// caller is how a session request names who asks.
var caller = Name([]byte("HANDCLASP      \x00"))

// NameService is where NBSTAT is answered (RFC 1002 §4.2), beside a session service: a prober's Spec names it among its
// companions.
var NameService = probe.Port{Network: probe.UDP, Number: 137}

// A Call asks a host's session service for its file server.
type Call struct {
	Session *probe.Session
	// Asked is told each answer as it comes, a nil one if none came.
	Asked func(called Name, reply *SessionReply)
	// Told is told what the name service answered, if it had to be asked; nil if nobody wants to know.
	Told func(Answer)
}

// Open returns a connection whose session request was answered with yes, and the name that was called: [AnyServer], or
// else, over a new connection, the file server's own name as the name service tells it. Without a connection and an error
// the server's last answer was no to the name, or a retarget, which isn't followed. An answer that isn't about the name is
// an error: busy, or denied.
func (k Call) Open(ctx context.Context) (*probe.Conn, Name, error) {
	c, reply, err := k.request(ctx, AnyServer)
	if c != nil || err != nil || reply.Type == TypeRetarget {
		return c, AnyServer, err
	}
	own, ok, err := k.ownName(ctx)
	if err != nil || !ok {
		return nil, own, err
	}
	c, _, err = k.request(ctx, own)
	return c, own, err
}

// request opens a connection and asks for a session with the called name.
func (k Call) request(ctx context.Context, called Name) (*probe.Conn, *SessionReply, error) {
	c, err := k.Session.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	reply, err := RequestSession(c, called)
	k.Asked(called, reply)
	if err == nil && reply.Type == TypePositive {
		return c, reply, nil
	}
	_ = c.Close()
	if err == nil {
		err = reply.Refusal()
	}
	return nil, reply, err
}

// RequestSession asks for a session with the called name (RFC 1002 §4.3.2) on a new connection, and returns the answer.
func RequestSession(c *probe.Conn, called Name) (*SessionReply, error) {
	if err := c.Send(AppendSessionRequest(nil, called, caller)); err != nil {
		return nil, err
	}
	return ReadSessionReply(c)
}

// Refusal is the error that a negative reply stands for, if it isn't about the called name: busy or denied, else nil.
func (r *SessionReply) Refusal() error {
	switch {
	case r.Type == TypeNegative && r.Error == ErrorNoResources:
		return probe.Errorf(opSession, probe.OutcomeBusy, "%s", r.ErrorText())
	case r.Type == TypeNegative && r.Error == ErrorNotListeningFor:
		return probe.Errorf(opSession, probe.OutcomeDenied, "%s", r.ErrorText())
	}
	return nil
}

// ownName learns the file server's name from the name service beside it. One that doesn't answer has none to tell: the
// session service's answer stands.
func (k Call) ownName(ctx context.Context) (n Name, ok bool, err error) {
	c, err := k.Session.OpenCompanion(ctx, NameService)
	if err != nil {
		return n, false, unlessUnanswered(ctx, err)
	}
	defer c.Close()
	a, err := Ask(k.Session, c, Wildcard, TypeStatus)
	if k.Told != nil {
		k.Told(a)
	}
	if a.Reply == nil || a.Code != 0 {
		return n, false, unlessUnanswered(ctx, err)
	}
	status, _ := ParseStatus(a.Data) // what came of a table that is cut off will do
	n, ok = status.FileServer()
	return n, ok && n.Printable(), nil
}

// unlessUnanswered returns err, but nil if the name service isn't there, or something else is.
func unlessUnanswered(ctx context.Context, err error) error {
	switch probe.OutcomeOf(err) {
	case probe.OutcomeTimeout, probe.OutcomeRefused, probe.OutcomeUnreachable, probe.OutcomeClosed, probe.OutcomeNotProtocol:
		if ctx.Err() == nil {
			return nil
		}
	}
	return err
}

// Printable reports whether a name that a server told may be sent back to it: printable ASCII, and not blank.
func (n Name) Printable() bool {
	for _, c := range n[:15] {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return n[0] != ' '
}
