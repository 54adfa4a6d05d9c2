package report

import (
	"errors"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A State says in words what became of an endpoint. It tells apart what an [probe.Outcome] by itself doesn't: nobody
// who answered the call, and somebody who did and then kept silent.
type State string

// The states, the usual ones first.
const (
	Answered    State = "answered"
	Busy        State = "busy"        // it said: not now
	TurnedAway  State = "turned away" // it said: not you
	Refused     State = "refused"
	NoAnswer    State = "no answer" // to the call
	Unreachable State = "unreachable"
	Silent      State = "silent"  // connected, and then nothing
	HungUp      State = "hung up" // connected, and left without a word
	TLSFailed   State = "TLS failed"
	NotAsked    State = "not asked" // at a level at which nothing is sent, and without a connection that says more
	Interrupted State = "interrupted"
	Failed      State = "failed"
)

var states = []State{Answered, Busy, TurnedAway, Refused, NoAnswer, Unreachable, Silent, HungUp, TLSFailed, NotAsked, Interrupted, Failed}

// StateOf returns what became of the record's endpoint. A server has answered when a byte of it was read, whatever came
// of it later.
func StateOf(r finding.Record) State {
	var e *probe.Error
	datagrams := r.Target.Network == probe.UDP // which know no connection
	dialled := !datagrams && (!errors.As(r.Err, &e) || e.Op != "dial")
	switch {
	case r.Outcome == probe.OutcomeOK && datagrams && r.Level == probe.LevelGreeting:
		return NotAsked
	case r.Outcome == probe.OutcomeBusy && slices.Contains(r.Partial, "/evidence"):
		return Busy
	case r.Outcome == probe.OutcomeDenied && slices.Contains(r.Partial, "/evidence"):
		return TurnedAway
	case r.Outcome == probe.OutcomeOK, heard(r):
		return Answered
	case r.Outcome == probe.OutcomeRefused:
		return Refused
	case r.Outcome == probe.OutcomeTimeout && dialled, r.Outcome == probe.OutcomeLimit && dialled:
		return Silent
	case r.Outcome == probe.OutcomeTimeout:
		return NoAnswer
	case r.Outcome == probe.OutcomeUnreachable:
		return Unreachable
	case r.Outcome == probe.OutcomeClosed:
		return HungUp
	case r.Outcome == probe.OutcomeTLS:
		return TLSFailed
	case r.Outcome == probe.OutcomeCanceled:
		return Interrupted
	}
	return Failed
}

// heard reports whether the server said anything. Without a transcript the evidence tells, and outcomes that take an
// answer.
func heard(r finding.Record) bool {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv || e.Dir == probe.DirTLS && e.Outcome == "" {
			return true
		}
	}
	if r.Outcome == probe.OutcomeNotProtocol || r.Outcome == probe.OutcomeMalformed {
		return true
	}
	if e, ok := r.Evidence.(probe.TLSEvidence); ok {
		if hs := e.TLSHandshake(); hs != nil && len(hs.LeftoverPlaintext)+len(hs.Chain) > 0 {
			return true
		}
	}
	if len(r.Transcript) > 0 {
		return false
	}
	return headline(r, documentOf(r)) != ""
}
