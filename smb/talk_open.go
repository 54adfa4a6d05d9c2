package smb

import (
	"context"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

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
