package smb

import (
	"strings"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements [probe.Recogniser]: a file server waits for its client.
func (Prober) Recognise(said []byte) probe.Recognition {
	if len(said) == 0 {
		return probe.Possible
	}
	return probe.Foreign
}

// Question implements [probe.Asker] by an offer of all dialects of SMB 2.
func (p Prober) Question(s *probe.Session) ([]byte, error) {
	q := everyDialect
	if err := q.draw(s); err != nil {
		return nil, err
	}
	return frame(header{command: commandNegotiate}.request(negotiate(q.dialects, q.algorithms, q.random))), nil
}

// Answers implements [probe.Asker].
func (Prober) Answers(reply []byte) probe.Recognition {
	if len(reply) > 0 && reply[0] != nbt.TypeMessage || len(reply) > 1 && reply[1] != 0 {
		return probe.Foreign // answers to an offer are short
	}
	magic := reply[min(len(reply), frameSize):]
	magic = magic[:min(len(magic), len(magicSMB2))]
	switch {
	case !strings.HasPrefix(magicSMB2, string(magic)) && !strings.HasPrefix(magicSMB1, string(magic)):
		return probe.Foreign
	case len(magic) < len(magicSMB2):
		return probe.Undecided
	}
	return probe.Recognised
}
