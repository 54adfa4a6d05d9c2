package probe

import (
	"context"
	"fmt"
	"time"
)

// Run probes one target. It never returns nil: if something failed, the Result holds the error, what was learned
// before it, and the transcript. It returns within 50 ms of ctx's end, and leaves no connection behind.
func Run(ctx context.Context, p Prober, t Target, o *Options) *Result {
	r := &Result{Started: time.Now().UTC().Truncate(time.Millisecond), Software: []Software{}}
	s, err := newSession(ctx, p, t, o)
	r.Target, r.Level, r.Protocol = s.target, s.opts.Level, s.spec.Protocol
	if err != nil {
		r.settle(err, nil)
		return r
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, s.abort)
		defer stop()
	}
	defer s.end() // even if the prober ends this goroutine, as a failed test does

	r.Evidence, err = probe(p, s)
	r.conclude(s, err)
	return r
}

// conclude takes down what a probe learned.
func (r *Result) conclude(s *Session, err error) {
	s.close()
	r.Protocol = s.spec.Protocol // a detector hands over to another's
	if isNil(r.Evidence) {
		r.Evidence = s.kept
	}
	r.Transcript = s.log.finish()
	r.Elapsed = time.Since(s.log.start).Truncate(time.Millisecond)
	r.settle(err, s.lost)
}

// check refuses what no session may be made of.
func check(t Target, o *Options) error {
	err := t.check()
	if _, ok := levelNames[o.Level]; !ok && err == nil {
		err = fmt.Errorf("unknown level %d", int(o.Level))
	}
	if err == nil {
		err = o.Contact.Check()
	}
	if err != nil {
		return &Error{Op: "target", Outcome: OutcomeForbidden, Err: err}
	}
	return nil
}

func (r *Result) fail(err error) {
	r.Outcome = OutcomeOf(err)
	r.Err = err
}

// A PanicError is the cause when a prober panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func specOf(p Prober) (spec Spec, err error) {
	defer recovered("spec", &err)
	return p.Spec(), nil
}

func probe(p Prober, s *Session) (e Evidence, err error) {
	defer recovered("probe", &err)
	return p.Probe(&s.life, s)
}

// recovered turns a panic into an error. What the function would have returned beside it is lost, which is why
// Session.Keep exists.
func recovered(op string, err *error) {
	if v := recover(); v != nil {
		*err = &Error{Op: op, Outcome: OutcomeInternal, Err: asPanic(v)}
	}
}
