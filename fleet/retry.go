package fleet

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Retry puts shards that were given up into the queue again, and returns how many there were.
func (c *Client) Retry(ctx context.Context, id string) (n int, err error) {
	s, _, err := get(ctx, c.kv, id)
	if err != nil {
		return 0, err
	}
	if s.Phase != Running {
		return 0, fmt.Errorf("the scan %s is %s", id, s.Phase)
	}
	stream, err := c.js.Stream(ctx, workStream(id))
	if err != nil {
		return 0, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter("hc."+id+".dead.>"))
	if err != nil {
		return 0, err
	}
	l := newLedger(c.nc, c.js)
	for subject := range info.State.Subjects {
		u, err := parseUnit(subject)
		if err != nil {
			return n, err
		}
		if err := l.pardon(ctx, u); err != nil {
			return n, err
		}
		if _, err := c.js.Publish(ctx, strings.Replace(subject, "."+kindDead+".", "."+kindWork+".", 1), nil); err != nil && !occupied(err) {
			return n, err
		}
		if err := stream.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// pardon forgets how often workers failed with a shard.
func (l *ledger) pardon(ctx context.Context, u unit) error {
	p, last, err := l.read(ctx, u)
	if err != nil || last == 0 {
		return err
	}
	p.Fails = 0
	p.Commit++
	_, err = l.commit(ctx, u, lot{}, p, last)
	return err
}
