package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Offers are what is known of a scan's queue, which goes by the server's wall clock: a shard whose worker has ended is offered again
// once that has passed its lease. A clock that is set back would keep it from others for as long as it was set back; one that is set
// forward has shards offered too early, which costs their workers the shard, and nothing else.
type offers struct {
	made bool      // the consumers are there
	seen time.Time // by the server
}

// see reports whether the server's clock was set back by more than a lease since the last time.
func (o *offers) see(now time.Time, lease time.Duration) bool {
	back := now.Add(lease).Before(o.seen)
	o.seen = now
	return back
}

// offerAnew makes the consumers of a scan that runs anew if the server's clock was set back. Then shards that are worked on are offered,
// too: whoever takes one does no harm, as with a lease that ran out.
func (c *Coordinator) offerAnew(ctx context.Context, s *Scan, now time.Time) error {
	c.mu.Lock()
	o := &c.live[s.ID].offers // which this goroutine alone uses
	c.mu.Unlock()
	if o.see(now, s.Lease) {
		o.made = false
		c.tell("%s: the server's clock was set back: all shards that aren't finished are offered anew", s.ID)
		for _, label := range s.labels() {
			if err := c.js.DeleteConsumer(ctx, workStream(s.ID), label); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
				return err
			}
		}
	}
	if o.made {
		return nil
	}
	err := createConsumers(ctx, c.js, s) // a coordinator that ended may have come no further than to delete them
	o.made = err == nil
	return err
}

// createConsumers makes those that workers share, unless they are there.
func createConsumers(ctx context.Context, js jetstream.JetStream, s *Scan) error {
	for _, label := range s.labels() {
		if _, err := js.CreateOrUpdateConsumer(ctx, workStream(s.ID), jetstream.ConsumerConfig{
			Durable: label, FilterSubject: "hc." + s.ID + ".work." + label + ".>", AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: s.Lease, MaxAckPending: -1,
		}); err != nil {
			return err
		}
	}
	return nil
}
