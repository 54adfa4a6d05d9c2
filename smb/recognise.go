package smb

import (
	"strings"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser: a file server waits for its client.
func (Prober) Recognise(said []byte) probe.Recognition {
	if len(said) == 0 {
		return probe.Possible
	}
	return probe.Foreign
}

// Questions implements detect.Asker: an offer of all dialects of SMB 2 and 3.
func (Prober) Questions() []string { return []string{"NEGOTIATE 2.0.2 2.1 3.0 3.0.2 3.1.1"} }

// Question implements detect.Asker.
func (p Prober) Question(s *probe.Session, _ int) ([]byte, error) {
	q := everyDialect
	if err := q.draw(s); err != nil {
		return nil, err
	}
	return frame(header{command: commandNegotiate}.request(negotiate(q.dialects, q.algorithms, q.random))), nil
}

// Answers implements detect.Asker. A flag tells an answer from an echo.
func (Prober) Answers(_ int, reply []byte) probe.Recognition {
	if len(reply) > 0 && reply[0] != nbt.TypeMessage || len(reply) > 1 && reply[1] != 0 {
		return probe.Foreign // answers to an offer are short
	}
	message := reply[min(len(reply), frameSize):]
	magic := string(message[:min(len(message), len(magicSMB2))])
	flags, response := 16, byte(1) // SMB2_FLAGS_SERVER_TO_REDIR (MS-SMB2 §2.2.1.2)
	switch {
	case strings.HasPrefix(magicSMB2, magic):
	case strings.HasPrefix(magicSMB1, magic):
		flags, response = 9, 0x80 // SMB_FLAGS_REPLY (MS-CIFS §2.2.3.1)
	default:
		return probe.Foreign
	}
	switch {
	case len(message) <= flags:
		return probe.Undecided
	case message[flags]&response == 0:
		return probe.Foreign
	}
	return probe.Recognised
}
