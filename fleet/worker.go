package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A Worker scans shards of any scan that runs.
type Worker struct {
	// Name tells the worker apart; empty for one that is made up. A worker that is started anew needs another.
	Name string
	// Label is from where it asks: it takes shards of that vantage, and those that anybody may take. Empty for the latter alone.
	Label string
	// Scans are the only ones to work on; nil for all.
	Scans []string
	// Shards is how many to work on at once; zero or less is 1.
	Shards int
	// MaxRate bounds the new connections a second of each scan here; zero is no bound beside the scan's own.
	MaxRate float64
	// Version stands in for [Version], if not empty.
	Version string
	// Dial connects to targets; nil is as in [probe.Options].
	Dial probe.DialFunc
	// Resolver resolves the names among targets; nil is the system's.
	Resolver scan.Resolver
	// Tell, if not nil, is told what happens, in a line each time, from several goroutines.
	Tell func(line string)
}

// maxFails is how many workers may fail with a shard, one after the other, before it is given up.
const maxFails = 10

// idle is how long a worker waits that found nothing to do.
const idle = 250 * time.Millisecond

// Run works until ctx ends. What was scanned by then is committed, and the shards are given back.
func (w *Worker) Run(ctx context.Context, nc *nats.Conn) error {
	if w.Label != "" {
		if err := checkWord("label", w.Label); err != nil {
			return err
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	kv, err := w.meet(ctx, js)
	if err != nil {
		return err
	}
	s := &shift{Worker: *w, board: newLedger(nc, js), nc: nc, js: js, kv: kv, jobs: map[string]*job{}, refused: map[string]bool{}}
	if s.Name == "" {
		s.Name = nuid.Next()
	}
	defer s.closeJobs()
	defer s.running.Wait()
	places := make(chan struct{}, max(1, w.Shards))
	for ctx.Err() == nil {
		places <- struct{}{}
		j, t, err := s.next(ctx)
		if err != nil && ctx.Err() == nil {
			s.tell("%v", err)
		}
		if t == nil {
			<-places
			_ = sleep(ctx, idle)
			continue
		}
		s.running.Go(func() {
			defer func() { <-places }()
			if err := s.work(ctx, j, t); err != nil {
				s.tell("%s: %v", t.unit(), err)
			}
		})
	}
	return context.Cause(ctx)
}

// meet waits until there is a server, and a coordinator has been there.
func (w *Worker) meet(ctx context.Context, js jetstream.JetStream) (*bucket, error) {
	for said := false; ; said = true {
		kv, err := openBucket(ctx, js)
		if err == nil {
			if said && w.Tell != nil {
				w.Tell("the coordinator is there")
			}
			return kv, nil
		}
		if !said && w.Tell != nil && ctx.Err() == nil {
			line := "waiting for the coordinator"
			if !errors.Is(err, jetstream.ErrBucketNotFound) {
				line += fmt.Sprintf(": %v", err)
			}
			w.Tell(line)
		}
		if err := sleep(ctx, idle); err != nil {
			return nil, err
		}
	}
}

// A shift is a worker at work.
type shift struct {
	Worker
	board   board
	nc      *nats.Conn
	js      jetstream.JetStream
	kv      *bucket
	turn    int // which scan is asked for a shard first
	running sync.WaitGroup

	jobs    map[string]*job
	refused map[string]bool // scans of which it was said why they aren't worked on, with their version if it is that
}

func (s *shift) tell(format string, args ...any) {
	if s.Tell != nil {
		s.Tell(fmt.Sprintf(format, args...))
	}
}

// next returns a shard and its scan; scans take turns. The ticket is nil if no shard waits.
func (s *shift) next(ctx context.Context) (*job, ticket, error) {
	ids := s.Scans
	if ids == nil {
		var err error
		if ids, err = s.kv.ids(ctx); err != nil {
			return nil, nil, err
		}
	}
	s.turn++
	var errs []error
	for i := range ids {
		id := ids[(s.turn+i)%len(ids)]
		j, err := s.job(ctx, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if j == nil || !j.pact.holds() {
			continue
		}
		for _, label := range j.scan.labels() {
			if label != anywhere && label != s.Label {
				continue
			}
			t, err := s.board.offer(ctx, id, label)
			if t != nil {
				return j, t, nil
			}
			errs = append(errs, err)
		}
	}
	return nil, nil, errors.Join(errs...)
}

// job returns a scan that runs, prepared; nil if it doesn't run, or isn't for this worker.
func (s *shift) job(ctx context.Context, id string) (*job, error) {
	scan, _, err := get(ctx, s.kv, id)
	var none noScan
	if errors.As(err, &none) { // it may be submitted yet
		if s.refused[id] {
			return nil, nil
		}
		s.refused[id] = true
		return nil, fmt.Errorf("%w yet", err)
	}
	if err != nil {
		return nil, err
	}
	if scan.Phase != Running {
		return nil, nil
	}
	version := s.Version
	if version == "" {
		version = Version()
	}
	if scan.Version != version {
		if key := id + " " + scan.Version; !s.refused[key] {
			s.refused[key] = true
			return nil, fmt.Errorf("the scan %s needs version %s, and this worker is %s: install that version", id, scan.Version, version)
		}
		return nil, nil
	}
	if j := s.jobs[id]; j != nil {
		return j, nil
	}
	j, err := prepare(ctx, s.js, scan)
	if err != nil {
		return nil, fmt.Errorf("the scan %s can't be prepared: %w", id, err)
	}
	j.resolver = s.Resolver
	s.jobs[id] = j
	keeping, end := context.WithCancel(context.WithoutCancel(ctx))
	j.end = end
	go j.pact.keep(keeping, askBy(s.nc, id), s.Name, s.MaxRate)
	return j, nil
}

func (s *shift) closeJobs() {
	for _, j := range s.jobs {
		j.close()
	}
}

// work scans a shard, as far as it comes.
func (s *shift) work(ctx context.Context, j *job, t ticket) error {
	h, held, err := take(ctx, s.board, t, s.Name, j.scan.Lease, j.scan.spacing())
	if errors.Is(err, errFinished) {
		return t.done(ctx)
	}
	if errors.Is(err, errUnread) {
		return errors.Join(err, t.bury(ctx, err.Error()))
	}
	if err != nil {
		return err
	}
	defer h.end(nil)
	if h.progress.Fails > maxFails {
		return t.bury(ctx, cmp.Or(h.progress.Reason, "workers ended with it without a word, one after the other"))
	}
	err = j.run(ctx, held, h, s.Dial)
	switch {
	case err == nil:
		return t.done(held)
	case held.Err() != nil:
		return context.Cause(held)
	case errors.Is(err, errWaiting):
		return t.giveBack(held)
	case ctx.Err() != nil:
		return h.release(held, nil)
	case errors.Is(err, errUnheard), errors.Is(err, errEnded):
		return errors.Join(err, h.release(held, nil))
	}
	return errors.Join(err, h.release(held, err))
}
