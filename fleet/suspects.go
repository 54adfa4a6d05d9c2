package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A shard that two workers, one after the other, didn't survive may hold an endpoint that ends them. Those that were under way are
// then asked in groups that are written down before. Of the group with which the next worker ends, each is asked alone; and the
// one with which two more end isn't asked again: a worker may lose a shard by chance, too.
const (
	suspiciousFails = 3 // the worker that looks counts as one
	suspectGroup    = 64
	aloneFails      = 2
)

// A suspicion is which endpoints are asked with care.
type suspicion struct {
	first  int      // as many of those that come first
	trying []string // those with which the last worker ended, if it had looked already
	proven bool     // the only one of them is it
}

// suspicious returns nil if there is no reason to be. Beside those that were under way at the last commit, some were begun since.
func (p *progress) suspicious(concurrency int) *suspicion {
	if p.Fails < suspiciousFails {
		return nil
	}
	s := &suspicion{first: 8*max(concurrency, scan.DefaultConcurrency) + commitMost + waiting, trying: p.Trying, proven: p.Alone >= aloneFails}
	if p.Scan != nil {
		s.first += len(p.Scan.Pending)
	}
	return s
}

// A note is what is written down before endpoints are asked. Its methods may be called on nil.
type note struct {
	trying []string // nil: all are through
	stored chan struct{}
}

func (n *note) apply(p *progress) {
	if n != nil {
		if len(n.trying) != 1 || !slices.Equal(n.trying, p.Trying) {
			p.Alone = 0
		}
		if len(n.trying) == 1 {
			p.Alone++
		}
		p.Trying = n.trying
		if n.trying == nil {
			p.Fails = 0
		}
	}
}

func (n *note) said() {
	if n != nil {
		close(n.stored)
	}
}

// writeDown says what is asked next, and waits until that is safe.
func (r *shardRun) writeDown(ctx context.Context, trying []string) error {
	n := &note{trying: trying, stored: make(chan struct{})}
	r.done <- done{note: n}
	select {
	case <-n.stored:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sift asks the endpoints of a suspicion.
func (r *shardRun) sift(ctx context.Context, s *suspicion, next func() (scan.Endpoint, error, bool)) error {
	var group []scan.Endpoint
	ask := func() error {
		if len(group) == 0 {
			return nil
		}
		var names []string
		for _, e := range group {
			names = append(names, suspectName(e))
		}
		if err := r.writeDown(ctx, names); err != nil {
			return err
		}
		err := r.ask(ctx, each(group))
		group = nil
		return errors.Join(err, sleep(ctx, r.job.scan.spacing()))
	}
	for range s.first {
		e, err, ok := next()
		if !ok {
			break
		}
		if err != nil {
			r.unusable(err)
			continue
		}
		suspect := slices.Contains(s.trying, suspectName(e))
		switch {
		case suspect && s.proven:
			if err := r.skip(e); err != nil {
				return err
			}
			continue
		case suspect:
			if err := ask(); err != nil {
				return err
			}
		}
		group = append(group, e)
		if suspect || len(group) == suspectGroup {
			if err := ask(); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(ask(), context.Cause(ctx)); err != nil {
		return err
	}
	return r.writeDown(ctx, nil)
}

// skip leaves an endpoint unasked, and says why among the results.
func (r *shardRun) skip(e scan.Endpoint) error {
	reason := errors.New("not asked: workers ended when they did, one after the other")
	result := probe.Run(context.Background(), refuser{e.Prober, reason}, e.Target, &probe.Options{Level: r.job.scan.Level})
	return r.record(scan.Result{Result: result, Endpoint: e})
}

// A refuser is a prober that asks nothing.
type refuser struct {
	probe.Prober
	reason error
}

func (r refuser) Probe(context.Context, *probe.Session) (probe.Evidence, error) {
	return nil, probe.Errorf("fleet", probe.OutcomeInternal, "%w", r.reason)
}

func suspectName(e scan.Endpoint) string {
	return fmt.Sprintf("%s %s", e.Prober.Spec().Protocol, e.Target.Addr)
}

func each(endpoints []scan.Endpoint) iter.Seq2[scan.Endpoint, error] {
	return func(yield func(scan.Endpoint, error) bool) {
		for _, e := range endpoints {
			if !yield(e, nil) {
				return
			}
		}
	}
}
