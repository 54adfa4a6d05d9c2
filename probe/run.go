package probe

import (
	"context"
	"fmt"
	"time"
)

// Run probes one target. It never returns nil: if something failed, the Result holds the error, what was learned
// before it, and the transcript. It returns within 50 ms of ctx's end, and leaves no connection behind.
func Run(ctx context.Context, p Prober, t Target, o *Options) *Result {
	s, err := newSession(ctx, p, &t, o)
	if err != nil {
		r := s.result()
		r.settle(err, nil)
		return r
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, s.abort)
		defer stop()
	}
	defer s.end() // even if the prober ends this goroutine, as a failed test does

	e, err := probe(p, s)
	s.close()
	r := s.result()
	r.conclude(s, e, err)
	return r
}

// result returns the result of a session, without what was learned. It is made at the end: a thousand sessions may wait.
func (s *Session) result() *Result {
	return &Result{
		Started: s.log.start.UTC().Truncate(time.Millisecond), Software: []Software{},
		Target: s.target, Level: s.opts.Level, Protocol: s.spec.Protocol, // of whom a detector handed over to
	}
}

// conclude takes down what a probe learned.
func (r *Result) conclude(s *Session, e Evidence, err error) {
	if r.Evidence = e; isNil(e) {
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
