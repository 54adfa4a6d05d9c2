// Package detect finds out what is spoken on a port where anything may be, and lets the prober of that protocol go on. It is
// part of a scan, and for a program a prober like others:
//
//	result := probe.Run(ctx, detect.Detector{Probers: handclasp.Probers()}, target, nil)
package detect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// GreetingWait is how long a [Detector] waits for a greeting unless it says otherwise: a second more than mail servers are
// known to keep a client waiting to see whether it speaks out of turn (Postfix's postscreen_greet_wait is 6 s).
const GreetingWait = 7 * time.Second

// A Detector is a prober for a port where anything may be. It listens for a greeting and hands the connection over, bytes
// included, to the prober that recognises it. A greeting that several protocols have in common is followed by their
// questions, until one gets an answer that its protocol alone gives. A server that keeps silent is asked two questions side
// by side, each on a connection of its own: that of the probers of whose protocol clients speak first, and a TLS handshake,
// behind which the listening begins anew. With the built-in probers that is three connections at most.
//
// No byte is sent to find out more of a service that no prober speaks: it is named if what it says by itself, or to these
// questions, tells, and left. The evidence is an [Unknown]. The zero value, given to [probe.Decode] beside probers, restores
// that.
type Detector struct {
	// Probers are those to choose from. One takes part if it is a [Recogniser].
	Probers []probe.Prober
	// Expected gets the connection if no prober is surer and the service isn't named, such as the prober whose default port
	// it is. May be nil. Without a word from the server, and from it to the questions, the detector waits on as long as Expected
	// would, unless Wait is less than [GreetingWait]. If mail is expected it asks only then.
	Expected probe.Prober
	// Wait is how long to listen for a greeting; zero is [GreetingWait].
	Wait time.Duration
}

// Spec implements [probe.Prober]. It is that of the expected prober, which has the last word on what nobody recognises;
// without one the protocol is "unknown", and there are no ports. A probe costs at most three connections more than one of
// the prober that goes on. The guard lets pass what the guard of a prober names as one of its questions, each once on a
// connection.
func (d Detector) Spec() probe.Spec {
	if d.Expected != nil {
		spec := d.Expected.Spec()
		spec.Guard, spec.Bounds = d.newGuard, probe.Bounds{}
		return spec
	}
	return probe.Spec{Protocol: unknown, Guard: d.newGuard, Evidence: func() probe.Evidence { return newUnknown() }}
}

func (d Detector) newGuard(contact probe.Contact) probe.Guard {
	var asked []string
	return func(l probe.Level, plain []byte) (string, error) {
		for _, p := range d.Probers {
			a, ok := p.(Asker)
			if !ok {
				continue
			}
			label, err := p.Spec().NewGuard(contact)(l, plain)
			if err != nil || !slices.Contains(a.Questions(), label) {
				continue
			}
			if slices.Contains(asked, label) {
				return "", errors.New("a question is asked once")
			}
			asked = append(asked, label)
			return label, nil
		}
		return "", errors.New("no prober asks this to find out what is spoken")
	}
}

// Probe implements [probe.Prober].
func (d Detector) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := &talk{Detector: d, s: s, e: newUnknown()}
	if d.Expected == nil {
		s.Keep(t.e)
	}
	return t.hold(ctx)
}

func (d Detector) wait() time.Duration {
	if d.Wait > 0 {
		return d.Wait
	}
	return GreetingWait
}

// recognise asks each prober whether what was said is its protocol, until one is sure.
func (d Detector) recognise(said []byte) (sure probe.Prober, possible, undecided []probe.Prober) {
	for _, p := range d.Probers {
		r, ok := p.(Recogniser)
		if !ok {
			continue
		}
		switch r.Recognise(said) {
		case probe.Recognised:
			return p, nil, nil
		case probe.Possible:
			if len(said) > 0 {
				possible = append(possible, p)
			}
		case probe.Undecided:
			undecided = append(undecided, p)
		}
	}
	return nil, possible, undecided
}

// first are the probers of whose protocol clients speak first.
func (d Detector) first() (all []Asker) {
	for _, p := range d.Probers {
		if a, ok := p.(Asker); ok && a.Recognise(nil) == probe.Possible {
			all = append(all, a)
		}
	}
	return all
}

// expects reports whether the expected prober is among those.
func (d Detector) expects(among []probe.Prober) bool {
	return d.Expected != nil && slices.ContainsFunc(among, func(p probe.Prober) bool {
		return p.Spec().Protocol == d.Expected.Spec().Protocol
	})
}
