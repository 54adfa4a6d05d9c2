package smb

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

const (
	transportDirect  = "direct"
	transportNetBIOS = "netbios"
)

// nameService is where NBSTAT is answered (RFC 1002 §4.2), beside a session service.
var nameService = probe.Port{Network: probe.UDP, Number: 137}

// anyServer is the called name that many servers take for theirs, whatever theirs is. Windows Vista and later don't.
const anyServer = "*SMBSERVER"

// callingName is how a session request names who asks.
const callingName = "HANDCLASP"

// knock opens a connection and says nothing.
func (k *talk) knock(ctx context.Context) error {
	c, err := k.s.Open(ctx)
	if err != nil {
		return err
	}
	_ = c.Close()
	return nil
}

// first opens the first connection, and learns by which name the server is called. It returns nil without an error if
// the server refuses the session in words.
func (k *talk) first(ctx context.Context) (*probe.Conn, error) {
	c, err := k.s.Open(ctx)
	if err != nil {
		return nil, err
	}
	if !k.netbios {
		k.e.Transport = transportDirect
		return c, nil
	}
	name, err := nbt.MakeName(anyServer, nbt.SuffixServer)
	if err != nil {
		return nil, err
	}
	reply, err := k.request(c, name)
	if err != nil || reply.Type == nbt.TypePositive {
		return c, err
	}
	_ = c.Close()
	if reply.Type == nbt.TypeRetarget {
		return nil, nil
	}
	name, ok, err := k.ownName(ctx)
	if err != nil || !ok {
		return nil, err
	}
	if c, err = k.s.Open(ctx); err != nil {
		return nil, err
	}
	if reply, err = k.request(c, name); err != nil || reply.Type == nbt.TypePositive {
		return c, err
	}
	_ = c.Close()
	return nil, nil
}

// request asks for a session and notes the answer.
func (k *talk) request(c *probe.Conn, called nbt.Name) (*nbt.SessionReply, error) {
	k.e.SessionRequests = append(k.e.SessionRequests, SessionRequest{CalledName: called.Text()})
	note := &k.e.SessionRequests[len(k.e.SessionRequests)-1]
	reply, err := requestSession(c, called)
	if err != nil {
		return nil, err
	}
	switch reply.Type {
	case nbt.TypePositive:
		note.Reply = "positive"
		k.e.Transport, k.e.CalledName = transportNetBIOS, called.Text()
		k.called = called
	case nbt.TypeNegative:
		note.Reply, note.Error = "negative", reply.ErrorText()
	case nbt.TypeRetarget:
		note.Reply, note.Retarget = "retarget", reply.Retarget.String()
	}
	return reply, nil
}

func requestSession(c *probe.Conn, called nbt.Name) (*nbt.SessionReply, error) {
	calling, err := nbt.MakeName(callingName, nbt.SuffixWorkstation)
	if err != nil {
		return nil, err
	}
	if err := c.Send(nbt.AppendSessionRequest(nil, called, calling)); err != nil {
		return nil, err
	}
	return nbt.ReadSessionReply(c)
}

// open opens a later connection that carries SMB.
func (k *talk) open(ctx context.Context) (*probe.Conn, error) {
	c, err := k.s.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := k.prepare(c); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// prepare makes a later connection carry SMB.
func (k *talk) prepare(c *probe.Conn) error {
	if !k.netbios {
		return nil
	}
	reply, err := requestSession(c, k.called)
	if err == nil && reply.Type != nbt.TypePositive {
		err = probe.Errorf(opSession, probe.OutcomeRefused, "%s doesn't take another session", k.called.Text())
	}
	return err
}

// ownName asks the name service for the name of the file server. A host that doesn't answer has none that could be asked
// for.
func (k *talk) ownName(ctx context.Context) (name nbt.Name, ok bool, err error) {
	c, err := k.s.OpenCompanion(ctx, nameService)
	if err != nil {
		return name, false, unlessSilent(err)
	}
	defer c.Close()
	a, err := nbt.Ask(k.s, c, nbt.Wildcard, nbt.TypeStatus)
	if a.Reply == nil || a.Code != 0 {
		return name, false, unlessSilent(err)
	}
	status, _ := nbt.ParseStatus(a.Data) // what came of a table that is cut off will do
	name, ok = status.FileServer()
	return name, ok, nil
}

// unlessSilent forgives the name service that it isn't there, or something else is: the session service has answered.
func unlessSilent(err error) error {
	for _, silence := range []error{probe.ErrTimeout, probe.ErrRefused, probe.ErrUnreachable, probe.ErrClosed, probe.ErrNotProtocol} {
		if errors.Is(err, silence) {
			return nil
		}
	}
	return err
}
