package smb

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

const opAnonymous = "anonymous session"

// AnonymousSession says how a login without a user went, step by step. A step that wasn't taken, or that the server
// didn't answer, has an empty status.
type AnonymousSession struct {
	// NegotiateStatus is the answer to the negotiation, with which each connection begins.
	NegotiateStatus string `json:"negotiate_status"`
	// Status is the final answer to the session setup, such as "STATUS_SUCCESS" or "STATUS_ACCESS_DENIED".
	Status string `json:"status"`
	// Flags are those of the session (MS-SMB2 §2.2.6): "guest", "null", "encrypt", or a number such as "0x0008".
	Flags []string `json:"flags"`
	// TreeStatus is the answer to the tree connect to IPC$.
	TreeStatus string `json:"tree_status"`
	// ListStatus is how the list of shares ended: the status of the request that failed, "RPC bind refused", an RPC
	// fault such as "RPC fault 0x00000005" (C706 appendix E), or what NetrShareEnum returned (MS-ERREF §2.2):
	// "ERROR_SUCCESS", "ERROR_ACCESS_DENIED".
	ListStatus string `json:"list_status"`
}

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
	v := &visit{
		c: c, lib: startLibrary(ctx, s.Target().Addr, dialect, [guidSize]byte(random[:])),
		gate: gate{dialect: dialect, salt: [saltSize]byte(random[guidSize:]), credits: 1, seen: e.Anonymous},
	}
	reason := v.mediate(ctx)
	l := v.lib.end()
	e.NullSession, e.Guest = e.Anonymous.facts()
	if l.err == nil {
		e.Shares = sharesOf(l.shares)
	}
	if reason != nil {
		return v.ended(reason)
	}
	return v.judge(l.err)
}

// A visit is one session without a user.
type visit struct {
	c    *probe.Conn
	lib  *library
	gate gate
	buf  []byte
}

// mediate carries requests from the library to the server and answers back. It returns nil where the library has enough,
// and else what ended the conversation.
func (v *visit) mediate(ctx context.Context) error {
	for {
		request, err := v.request()
		switch {
		case err != nil && ctx.Err() != nil:
			for err = nil; err == nil; {
				_, err = v.c.ReadFull(make([]byte, 1)) // fails soon, and says why the context ended
			}
			return err
		case err != nil:
			return nil
		}
		if err := v.gate.outgoing(request[frameSize:]); err != nil {
			return err
		}
		if err := v.c.Send(request); err != nil {
			return err
		}
		for interim := true; interim; {
			var message, pass []byte
			if message, err = v.receive(); err != nil {
				return err
			}
			if pass, interim, err = v.gate.incoming(message); err != nil {
				return err
			}
			v.lib.conn.Put(binary.BigEndian.AppendUint32(nil, uint32(len(pass))))
			v.lib.conn.Put(pass)
		}
	}
}

// request returns the next message of the library's, its header included.
func (v *visit) request() ([]byte, error) {
	var header [frameSize]byte
	if err := v.lib.conn.Take(header[:]); err != nil {
		return nil, err
	}
	length := int(header[1])<<16 | int(header[2])<<8 | int(header[3])
	message := append(make([]byte, 0, frameSize+length), header[:]...)[:frameSize+length]
	return message, v.lib.conn.Take(message[frameSize:])
}

// receive returns the server's next message, which is valid until the one after it. Keep-alives of a NetBIOS session are
// skipped (RFC 1002 §4.3.7).
func (v *visit) receive() ([]byte, error) {
	for range maxKeepAlives {
		var head [frameSize]byte
		if _, err := v.c.ReadFull(head[:]); err != nil {
			return nil, err
		}
		size := int(binary.BigEndian.Uint32(head[:]) & 0x00ffffff)
		switch {
		case head[0] == nbt.TypeKeepAlive && size == 0:
			continue
		case head[0] != nbt.TypeMessage || size < headerSize:
			return nil, probe.Errorf(opAnonymous, probe.OutcomeNotProtocol, "%q begins no reply", head)
		case size > v.gate.asked.most():
			return nil, probe.Errorf(opAnonymous, probe.OutcomeMalformed, "a reply of %d bytes", size)
		}
		if cap(v.buf) < size {
			v.buf = make([]byte, size)
		}
		_, err := v.c.ReadFull(v.buf[:size])
		return v.buf[:size], err
	}
	return nil, probe.Errorf(opAnonymous, probe.OutcomeMalformed, "nothing but keep-alives")
}

// ended says what the reason means that a conversation was ended for. Some are no failure: a server that hangs up where
// the session was about to end anyway among them.
func (v *visit) ended(reason error) error {
	switch command := v.gate.asked.command; {
	case errors.Is(reason, errEncrypted), errors.Is(reason, errDone):
		return nil
	case errors.Is(reason, probe.ErrClosed) && (command == commandClose || command == commandTreeDisconnect || command == commandLogoff):
		return nil
	case errors.Is(reason, errTooMany):
		return &probe.Error{Op: opAnonymous, Outcome: probe.OutcomeLimit, Err: reason}
	case errors.As(reason, new(*probe.Error)):
		return reason
	}
	return malformed(opAnonymous, reason)
}

// judge says what the library's error means: nothing new where the server said no in words, which is evidence.
func (v *visit) judge(err error) error {
	var known *probe.Error
	a := v.gate.seen
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case refused(a.NegotiateStatus), refused(a.Status), refused(a.TreeStatus), refused(a.ListStatus):
		return nil
	}
	return malformed(opAnonymous, err)
}
