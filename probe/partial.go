package probe

import (
	"errors"
	"slices"
)

// A part is something that was asked for and not answered.
type part struct {
	pointer string
	err     error
}

// Lost notes that what a JSON pointer names, such as "/evidence/host_keys", was asked for and not answered, and why: a
// connection of its own that was refused or dropped, a reply that didn't come in time, a server that is busy. It goes
// into the result's Partial, and the first such error is the result's unless the conversation itself ended before.
// Without an error, or with one that is an answer ([Outcome.Answered]), nothing is noted.
func (s *Session) Lost(pointer string, err error) {
	if err == nil || OutcomeOf(err).Answered() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, part{pointer, err})
}

// settle gives the result its outcome, and the list of what was lost. If the conversation itself was lost and its
// prober names nothing, the rest of the evidence was.
func (r *Result) settle(err error, lost []part) {
	r.Partial = []string{}
	for _, p := range lost {
		if !slices.Contains(r.Partial, p.pointer) {
			r.Partial = append(r.Partial, p.pointer)
		}
	}
	if !OutcomeOf(err).Answered() && !slices.ContainsFunc(lost, func(p part) bool { return errors.Is(p.err, err) }) {
		if !slices.Contains(r.Partial, evidencePointer) {
			r.Partial = append(r.Partial, evidencePointer)
		}
	}
	if len(lost) > 0 && (err == nil || !OutcomeOf(err).Answered()) {
		err = lost[0].err
	}
	r.fail(err)
}

// evidencePointer names the evidence as a whole.
const evidencePointer = "/evidence"
