package nbt

import (
	"errors"
	"io"

	"github.com/handclasp/handclasp/probe"
)

// An Answer is what came of a question to the name service.
type Answer struct {
	*Reply           // nil if none came; its data is valid until the connection is read again
	Strays       int // datagrams of the node that weren't the reply
	Elsewhere    []probe.Stray
	Asked, Bytes int // the sizes of the question and of the reply: UDP payload, in bytes
}

// opName is the step that errors name.
const opName = "name service"

// Ask asks one node about name, with a random transaction id, over a UDP connection to it; kind is TypeNB or TypeStatus.
// Silence is a timeout. If only datagrams of the node came that are no reply, what answers is not this protocol.
func Ask(s *probe.Session, c *probe.Conn, name Name, kind uint16) (Answer, error) {
	var raw [2]byte
	if _, err := io.ReadFull(s.Rand(), raw[:]); err != nil {
		return Answer{}, &probe.Error{Op: opName, Outcome: probe.OutcomeInternal, Err: err}
	}
	id := uint16(raw[0])<<8 | uint16(raw[1])
	question := query(nil, id, name, kind)
	a := Answer{Asked: len(question)}
	heard := len(c.Elsewhere())
	reply, strays, err := c.Exchange(question, func(b []byte) bool {
		r, err := ParseReply(b)
		if err != nil || !r.Answers(id, name, kind) {
			return false
		}
		a.Reply = r
		return true
	})
	a.Bytes, a.Strays, a.Elsewhere = len(reply), strays, c.Elsewhere()[heard:]
	switch {
	case !errors.Is(err, probe.OutcomeTimeout):
	case strays > 0:
		err = probe.Errorf(opName, probe.OutcomeNotProtocol, "datagrams came, none of them a reply")
	case len(a.Elsewhere) > 0:
		err = probe.Errorf(opName, probe.OutcomeTimeout, "silence, but for datagrams from another port or address")
	}
	return a, err
}
