package textline

import (
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/probe"
)

// ErrOutOfStep is the cause of errors by which a reply answers another command than the one that was sent: nothing that the
// server said since its greeting can be relied on.
var ErrOutOfStep = errors.New("replies are out of step with commands")

func outOfStep(format string, args ...any) error {
	return probe.Errorf("reply", probe.OutcomeMalformed, "%w: %s", ErrOutOfStep, fmt.Sprintf(format, args...))
}

// An Attempt is a conversation that may be held once more. What it loses is its own until it is over.
type Attempt struct {
	// Patient says how its connections are: see [Conn].
	Patient bool

	lost []loss
}

type loss struct {
	field string
	err   error
}

// Lost notes that a field of the evidence was asked for and not answered, and why; without an error, or a field, nothing.
func (a *Attempt) Lost(field string, err error) {
	if field != "" && err != nil {
		a.lost = append(a.lost, loss{field, err})
	}
}

// InStep holds a conversation and, if the server fell out of step, once more, patiently, on a connection of its own. What one told
// that fell out of step is to be forgotten, the greeting aside, and what it lost is: the session hears of the other's losses.
func InStep(s *probe.Session, converse func(*Attempt) error, forget func()) (err error) {
	for _, patient := range []bool{false, true} {
		a := &Attempt{Patient: patient}
		if err = converse(a); errors.Is(err, ErrOutOfStep) {
			forget()
			continue
		}
		for _, l := range a.lost {
			s.Lost("/evidence/"+l.field, l.err)
		}
		break
	}
	return err
}
