package scan

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/probe"
)

// A retry waits, twice as long each time.
const (
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
)

// synTime is how long a system takes to have asked three times for a TCP connection (RFC 6298 §2: one second, doubled).
const synTime = 3 * time.Second

func backoff(attempts int) time.Duration {
	return min(firstBackoff<<min(attempts-1, 10), maxBackoff)
}

// A call is how a host took a probe's call.
type call uint8

const (
	callFailed call = iota // for a reason that tells nothing of the host
	callAnswered
	callUnanswered
)

func callOf(r *probe.Result) call {
	switch {
	case answeredCall(r):
		return callAnswered
	case unansweredCall(r):
		return callUnanswered
	}
	return callFailed
}

// answeredCall reports whether somebody is at the host: a call was answered, if by a refusal, or something was heard.
func answeredCall(r *probe.Result) bool {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv || e.Dir == probe.DirTLS || e.Dir == probe.DirOpen && e.Outcome == "" && r.Target.Network != probe.UDP {
			return true
		}
	}
	return r.Outcome == probe.OutcomeRefused
}

// unansweredCall reports whether nobody answered the call in time.
func unansweredCall(r *probe.Result) bool {
	var e *probe.Error
	return r.Outcome == probe.OutcomeTimeout && errors.As(r.Err, &e) && e.Op == "dial"
}

// better returns the later of two results of an endpoint, unless only the earlier one learned something: a server that had
// enough of one visit has often had enough of the next, too.
func better(before, after *probe.Result) *probe.Result {
	lost := func(r *probe.Result) bool { return r == nil || slices.Contains(r.Partial, "/evidence") }
	if lost(before) || !lost(after) {
		return after
	}
	return before
}

// transient reports whether another try may end in another way: the server said "not now", or nothing was heard and nobody
// said no.
func transient(r *probe.Result, o *probe.Options) bool {
	if r.Outcome == probe.OutcomeBusy {
		return true
	}
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv || e.Dir == probe.DirTLS {
			return false
		}
	}
	var e *probe.Error
	dialling := errors.As(r.Err, &e) && e.Op == "dial"
	switch r.Outcome {
	case probe.OutcomeUnreachable:
		return !errors.Is(r.Err, dialer.ErrNoWay)
	case probe.OutcomeClosed: // servers that have too many clients do so
		return true
	case probe.OutcomeTimeout:
		// A call that nobody answers was repeated by the system already, if there was time.
		limits := o.Limits.Effective()
		return dialling && min(limits.Dial, limits.Total) < synTime
	case probe.OutcomeInternal:
		return errors.Is(r.Err, syscall.EMFILE) || errors.Is(r.Err, syscall.ENFILE) ||
			errors.Is(r.Err, syscall.ENOBUFS) || errors.Is(r.Err, syscall.ENOMEM)
	}
	return false
}
