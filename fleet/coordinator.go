package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp/scan"
)

// A Coordinator prepares scans that are submitted, and says when they are finished. One runs at a time; all that it knows lies
// in the server's store, so that another goes on if it ends at any time.
type Coordinator struct {
	// Resolver resolves the names among exclusions; nil is the system's.
	Resolver scan.Resolver
	// Tell, if not nil, is told what happens, in a line each time.
	Tell func(line string)

	js jetstream.JetStream
	kv *bucket

	mu   sync.Mutex
	live map[string]*liveScan
}

func (c *Coordinator) tell(format string, args ...any) {
	if c.Tell != nil {
		c.Tell(fmt.Sprintf(format, args...))
	}
}

// look is how often the coordinator looks after its scans.
const look = 250 * time.Millisecond

// Run coordinates until ctx ends.
func (c *Coordinator) Run(ctx context.Context, nc *nats.Conn) (err error) {
	if c.js, err = jetstream.New(nc); err != nil {
		return err
	}
	if err := c.meet(ctx); err != nil {
		return err
	}
	c.live = map[string]*liveScan{}
	beats, err := nc.Subscribe(beatSubject("*"), c.hear)
	if err != nil {
		return err
	}
	defer func() { _ = beats.Unsubscribe() }()
	for ; ctx.Err() == nil; _ = sleep(ctx, look) {
		ids, err := c.kv.ids(ctx)
		if err != nil {
			c.tell("%v", err)
			continue
		}
		for _, id := range ids {
			if err := c.advance(ctx, id); err != nil && ctx.Err() == nil {
				c.tell("%s: %v", id, err)
			}
		}
	}
	return context.Cause(ctx)
}

// meet waits until there is a server.
func (c *Coordinator) meet(ctx context.Context) (err error) {
	for said := ""; ; {
		if c.kv, err = openScans(ctx, c.js); err == nil {
			return nil
		}
		if text := err.Error(); text != said && ctx.Err() == nil {
			said = text
			c.tell("waiting for the server: %v", err)
		}
		if err := sleep(ctx, look); err != nil {
			return err
		}
	}
}

// openScans returns the bucket of scans, and makes it if it isn't there.
func openScans(ctx context.Context, js jetstream.JetStream) (*bucket, error) {
	if _, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: scansBucket}); err != nil {
		return nil, err
	}
	return openBucket(ctx, js)
}

// advance takes a scan one phase further, if its time has come. Each step may be done again.
func (c *Coordinator) advance(ctx context.Context, id string) error {
	s, revision, err := get(ctx, c.kv, id)
	if err != nil {
		return err
	}
	c.note(s)
	switch s.Phase {
	case Submitted:
		if err := c.prepare(ctx, s); err != nil {
			if ctx.Err() != nil || !permanent(err) {
				return err
			}
			s.Phase, s.Reason = Failed, err.Error()
		} else {
			s.Phase = Running
			c.note(s) // who reads that it runs asks at once
		}
		c.tell("%s", strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", s.ID, s.Phase, s.Reason), ": "))
	case Running:
		if s.ToExclude != nil {
			c.grow(ctx, s)
			break
		}
		work, err := c.js.Stream(ctx, workStream(s.ID))
		if err != nil {
			return err
		}
		if work.CachedInfo().State.Msgs > 0 {
			return errors.Join(c.offerAnew(ctx, s, work.CachedInfo().TimeStamp), c.relieve(ctx, s))
		}
		if err := settle(ctx, c.js, s); err != nil {
			return err
		}
		s.end(Finished)
		c.tell("%s: finished", s.ID)
	case Cancelled:
		if _, err := c.js.Stream(ctx, workStream(s.ID)); errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		return errors.Join(settle(ctx, c.js, s), c.js.DeleteStream(ctx, workStream(s.ID)))
	default:
		return nil
	}
	return put(ctx, c.kv, s, revision)
}

// relieve drops results that every collector has saved, once the stream is more than half full. Without a collector they stay, and
// workers wait.
func (c *Coordinator) relieve(ctx context.Context, s *Scan) error {
	stream, err := c.js.Stream(ctx, dataStream(s.ID))
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	if info.State.Bytes < uint64(info.Config.MaxBytes)/2 {
		return nil
	}
	saved, n := uint64(math.MaxUint64), 0
	consumers := stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		if consumer.Config.AckPolicy == jetstream.AckAllPolicy {
			saved = min(saved, consumer.AckFloor.Stream)
			n++
		}
	}
	if err := consumers.Err(); err != nil || n == 0 || saved == 0 {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject("hc."+s.ID+"."+kindResult+".>"), jetstream.WithPurgeSequence(saved+1))
}

// A refusal is why a scan can't be prepared, however often that is tried.
type refusal struct{ error }

func permanent(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// prepare makes a scan's streams, and puts its shards into the queue.
func (c *Coordinator) prepare(ctx context.Context, s *Scan) error {
	if err := c.resolve(ctx, s); err != nil {
		return err
	}
	j, err := prepare(ctx, c.js, s)
	if err != nil {
		return err
	}
	defer j.close()
	s.Endpoints, s.Unusable = scan.Count(j.lines(ctx), j.probers, s.order(scan.Shard{}, nil, nil))
	if s.Endpoints == 0 {
		return refusal{fmt.Errorf("there is no target that can be used: %w", j.unusable(ctx))}
	}
	if s.Shards == 0 {
		s.Shards = shardsFor(s.Endpoints)
	}
	if s.Inputs != "" && !s.Begun {
		if s.Parts, err = j.storeParts(ctx, c.js); err != nil {
			return err
		}
	}
	if err := createStreams(ctx, c.js, s); err != nil {
		return err
	}
	for _, label := range s.labels() {
		for k := range s.Shards {
			u := unit{s.ID, label, k + 1}
			if _, err := c.js.Publish(ctx, u.subject(kindWork), nil); err != nil && !occupied(err) {
				return err
			}
		}
	}
	return nil
}

// resolve makes addresses of exclusions, once for all workers.
func (c *Coordinator) resolve(ctx context.Context, s *Scan) error {
	if s.Exclude == "" || s.Excluded != "" {
		return nil
	}
	f, err := load(ctx, c.js, s.ID, s.Exclude)
	if err != nil {
		return err
	}
	defer f.Close()
	x, err := scan.Exclude(ctx, scan.Lines(ctx, "the exclusions", whole(f)), c.Resolver)
	if err != nil {
		return refusal{fmt.Errorf("what is to be left alone isn't known: %w", err)}
	}
	s.Excluded, err = store(ctx, c.js, s.ID, strings.NewReader(x.String()))
	return err
}

// A shard is small enough to be done within minutes, and there aren't more than queue and states bear easily.
const (
	shardEndpoints = 10_000
	leastShards    = 16
	mostShards     = 1024
)

func shardsFor(endpoints int64) int {
	return int(min(max(endpoints/shardEndpoints, leastShards), mostShards))
}

// createStreams makes a scan's streams and the consumers that workers share, unless they are there.
func createStreams(ctx context.Context, js jetstream.JetStream, s *Scan) error {
	if err := createData(ctx, js, s); err != nil {
		return err
	}
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: workStream(s.ID), Subjects: []string{"hc." + s.ID + ".work.>", "hc." + s.ID + ".dead.>"},
		Retention: jetstream.WorkQueuePolicy, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
	})
	if err != nil {
		return err
	}
	return createConsumers(ctx, js, s)
}

// occupied reports whether a message wasn't stored since its subject has one.
func occupied(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == errStoreFailed
}
