package main

import (
	"context"
	"iter"
	"os"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/scan"
)

// confirmPause is how long a second look waits, so that what was busy or was just restarted may be itself again.
const confirmPause = time.Minute

// A look is the results of a scan in a file, while they are compared.
type look struct {
	*stored
	collected
}

// look scans, for all that was learned to be compared.
func (a *app) look(ctx context.Context, o *options, m *many, is identity, args []string) (look, error) {
	results, err := a.collect(ctx, o, m, is, args)
	if err != nil {
		return look{}, err
	}
	s, err := a.openStored(results.path)
	if err != nil {
		_ = os.Remove(results.path)
		return look{}, err
	}
	return look{s, results}, nil
}

func (l look) close() {
	l.stored.close()
	_ = os.Remove(l.collected.path)
}

// A secondLook asks endpoints again, after a while.
type secondLook struct {
	*app
	look func(context.Context, *options) (look, error)
	o    *options
	is   identity
	got  *look // nil until it was taken
}

func (s *secondLook) again(ctx context.Context, doubtful map[finding.Endpoint]bool) (iter.Seq[finding.Entry], error) {
	s.complain("endpoints of which something is to be told: %d; they are asked again in %s", len(doubtful), showDuration(confirmPause))
	if err := s.wait(ctx, confirmPause); err != nil {
		return nil, err
	}
	those := *s.o
	those.among = func(e scan.Endpoint) bool { return doubtful[finding.EndpointOf(e.Target, s.is.vantage)] }
	l, err := s.look(ctx, &those)
	if err != nil {
		return nil, err
	}
	s.got = &l
	return l.entries(), nil
}

func (s *secondLook) close() {
	if s.got != nil {
		s.got.close()
	}
}

// wait waits, by the clock that tests replace.
func (a *app) wait(ctx context.Context, d time.Duration) error {
	after := a.after
	if after == nil {
		after = time.After
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-after(d):
		return nil
	}
}
